"""Forecasts of a backtest beside what then happened: coverage, shortage, and the part that a chart shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.backtest.opponents import LAST_CONFORMAL, NAMES
from predictor.backtest.table import Score
from predictor.backtest.traces import Trace
from predictor.backtest.truths import truth_of
from predictor.grid import LEADS_MS, TARGETS

Doubles = NDArray[np.float64]

SHOWN_ORIGINS = 2_016
"""Of a chart: a week of five-minute origins."""
SHOWN_LEADS_S = (900, 3_600)
SHOWN_QUANTILES = (0.5, 0.95)


@dataclass(frozen=True)
class Result:
    """Of one series: forecasts and truths [origin, lead, quantile] and [origin, lead], by target; NaN where the truth
    is not known."""

    name: str
    origins_s: NDArray[np.int64]
    leads_s: tuple[int, ...]
    quantiles: tuple[float, ...]
    forecasts: dict[str, Doubles]
    truths: dict[str, Doubles]
    ratios: dict[str, Doubles]
    """[lead]: the .95 quantile's loss as a ratio to that of the last value with a conformal margin."""

    def coverage(self, target: str) -> Doubles:
        """[lead, quantile]: the share of truths at or below each quantile."""
        truth = self.truths[target]
        below = truth[:, :, None] <= self.forecasts[target]
        known = np.isfinite(truth)
        return np.asarray((below & known[:, :, None]).sum(axis=0) / np.maximum(1, known.sum(axis=0))[:, None])

    def provision(self, lead_s: int, quantile: float) -> tuple[float, float]:
        """Shares of the load that fall short of, and lie above, the quantile of the window's largest value."""
        lead, q = self.leads_s.index(lead_s), self.quantiles.index(quantile)
        need, capacity = self.truths["max"][:, lead], self.forecasts["max"][:, lead, q]
        known = np.isfinite(need)
        total = max(float(need[known].sum()), 1e-12)
        gap = need[known] - capacity[known]
        return float(np.maximum(gap, 0).sum()) / total, float(np.maximum(-gap, 0).sum()) / total

    def chart(self, target: str, lead_s: int) -> dict[str, list[float | None]]:
        """Times of the truth [s], the truth and the shown quantiles of the last origins, to four digits."""
        lead, last = self.leads_s.index(lead_s), slice(-SHOWN_ORIGINS, None)
        bands = {
            f"q{q}": _digits(self.forecasts[target][last, lead, self.quantiles.index(q)])
            for q in SHOWN_QUANTILES
        }
        times: list[Any] = (self.origins_s[last] + lead_s).tolist()
        return {"times": times, "truth": _digits(self.truths[target][last, lead]), **bands}

    def document(self) -> dict[str, Any]:
        """All of it that the report shows, as JSON has it."""
        leads = [lead for lead in SHOWN_LEADS_S if lead in self.leads_s] or [self.leads_s[0]]
        short, over = self.provision(leads[0], 0.95)
        return {
            "name": self.name,
            "origins": len(self.origins_s),
            "leads": list(self.leads_s),
            "quantiles": list(self.quantiles),
            "coverage": {target: np.round(self.coverage(target), 4).tolist() for target in TARGETS},
            "ratio": {target: _digits(ratios) for target, ratios in self.ratios.items()},
            "short": round(short, 4),
            "over": round(over, 4),
            "charts": {f"{target} {lead}": self.chart(target, lead) for target in TARGETS for lead in leads},
        }


def results_of(traces: Sequence[Trace], scores: Sequence[Score], folder: Path) -> Iterator[Result]:
    """Of what `predictor.backtest` wrote into `folder` for the traces, and their scores."""
    for trace, score in zip(traces, scores, strict=True):
        with np.load(folder / f"{trace.name}.npz") as saved:
            forecasts = {target: saved[target].astype(float) for target in TARGETS}
            quantiles = tuple(saved["quantiles"].tolist())
        steps = tuple(lead // trace.step_s for lead in trace.leads_s)
        truths = truths_of(trace.values, trace.origins, steps)
        times = trace.times[trace.origins]
        own = [LEADS_MS.index(lead * 1000) for lead in trace.leads_s]
        ratios = dict(zip(TARGETS, score.ratios[:, own, NAMES.index(LAST_CONFORMAL)], strict=True))
        yield Result(trace.name, times, trace.leads_s, quantiles, forecasts, truths, ratios)


def truths_of(values: Doubles, origins: NDArray[np.intp], lead_steps: tuple[int, ...]) -> dict[str, Doubles]:
    """By target what happened after each origin (an index into `values` [step]), [origin, lead]."""
    return {
        target: np.stack([truth_of(target, values, origins, steps) for steps in lead_steps], axis=1)
        for target in TARGETS
    }


def _digits(values: Doubles) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist()]
