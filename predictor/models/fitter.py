"""Fits in a process of their own: `python -m predictor.models.fitter`, the hours of a series in, its next day out."""

import io
import json

import numpy as np

from predictor.models.process import answer, asked
from predictor.opinions.outlook import Doubles, Outlook

LIMIT_S = 300.0


class Refused(Exception):
    """The model has nothing to say of the series; the text is the reason."""


async def outlook(
    model: str, end_ms: int, hours: Doubles, module: str = "predictor.models.fitter", limit_s: float = LIMIT_S
) -> Outlook:
    """What `model` says of hourly means and maxima [target, hours] up to `end_ms`, by the process `module`.

    Raises WorkerFailed, Refused.
    """
    buffer = io.BytesIO()
    np.savez(buffer, model=np.array(model), hours=hours)
    told = await asked(module, buffer.getvalue(), limit_s)
    try:
        found = json.loads(told)
        if "refused" in found:
            raise Refused(found["refused"])
        mean, deviation = (np.array(found[name], dtype=float) for name in ("mean", "deviation"))
    except (ValueError, KeyError, TypeError):
        raise Refused("nonsense") from None
    if (
        mean.shape != deviation.shape
        or mean.shape[:1] != hours.shape[:1]
        or not np.isfinite(mean + deviation).all()
    ):
        raise Refused("nonsense")
    return Outlook(end_ms, mean, deviation, float(np.nanmax(hours)))


def fitted(question: bytes) -> bytes:
    from predictor.models.classical import ModelFailed, forecast

    with np.load(io.BytesIO(question), allow_pickle=False) as given:
        model, hours = str(given["model"]), given["hours"].astype(float)
    try:
        means, deviations = zip(*(forecast(model, target) for target in hours), strict=True)
    except ModelFailed as error:
        return json.dumps({"refused": error.reason}).encode()
    told = {"mean": [m.tolist() for m in means], "deviation": [d.tolist() for d in deviations]}
    return json.dumps(told).encode()


if __name__ == "__main__":
    answer(fitted)
