"""Decompositions in a process of their own: `python -m predictor.models.worker`, a matrix in, JSON out."""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.errors import InvalidInput
from predictor.models.process import answer, asked

LIMIT_S = 3600.0


async def decompose_all(last_end_ms: int, hours: NDArray[np.float32]) -> list[dict[str, Any] | None]:
    """The parts of each series of hourly means [hours, series]; None where there is too little. Raises WorkerFailed."""
    buffer = io.BytesIO()
    np.savez(buffer, last_end_ms=np.array(last_end_ms), hours=hours)
    found: list[dict[str, Any] | None] = json.loads(
        await asked("predictor.models.worker", buffer.getvalue(), LIMIT_S)
    )
    return found


def decomposed(question: bytes) -> bytes:
    from predictor.models.parts import parts_of

    with np.load(io.BytesIO(question), allow_pickle=False) as given:
        last_end_ms, hours = int(given["last_end_ms"]), given["hours"].astype(float)
    found: list[dict[str, Any] | None] = []
    for column in hours.T:
        try:
            found.append(parts_of(last_end_ms, column))
        except InvalidInput:
            found.append(None)
    return json.dumps(found).encode()


if __name__ == "__main__":
    answer(decomposed)
