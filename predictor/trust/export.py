"""The fleet's trust in its forecasts as metrics: a few numbers per lead and target, however many series there are."""

import numpy as np
from numpy.typing import NDArray

from cme.core.distrust import Cause, unpacked
from cme.runtime.telemetry import PredictorTelemetry
from predictor.arrays import Floats
from predictor.grid import LEADS_MS, TARGETS, L, T
from predictor.trust.record import Day


def figures(day: Day) -> dict[str, Floats]:
    """What a person compares, [cell, series]; NaN where nothing was compared or the opponent's figure is zero.

    Coverages of the .95 quantile; loss and over-provision as ratios to the opponent's; the bias of the median (truth
    less forecast) as a share of the load; how many origins it rests on.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {
            "coverage": day.covered / day.count,
            "baseline_coverage": day.baseline_covered / day.count,
            "loss_ratio": day.loss / day.baseline_loss,
            "over_ratio": day.over / day.baseline_over,
            "bias_ratio": day.bias / day.load,
        }
    finite = {name: np.where(np.isfinite(values), values, np.nan) for name, values in ratios.items()}
    return {name: values.astype(np.float32) for name, values in {**finite, "compared": day.count}.items()}


def export(telemetry: PredictorTelemetry, day: Day, distrust: NDArray[np.uint32]) -> None:
    """Medians over the series, and how many are not trusted and why."""
    told, causes = figures(day), unpacked(distrust, L * T)
    for cell in range(L * T):
        labels = TARGETS[cell % T], f"{LEADS_MS[cell // T] // 60_000}m"
        telemetry.compared.labels(*labels).set(int((day.count[cell] > 0).sum()))
        for cause in (Cause.LOSS, Cause.OVER, Cause.COVERAGE):
            untrusted = int(((causes[cell] & cause) > 0).sum())
            telemetry.untrusted.labels(*labels, str(cause.name).lower()).set(untrusted)
        for name, gauge in telemetry.trust.items():
            known = told[name][cell][np.isfinite(told[name][cell])]
            gauge.labels(*labels).set(float(np.median(known)) if len(known) else np.nan)
