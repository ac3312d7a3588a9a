from pathlib import Path

import numpy as np

from predictor.backtest.opponents import LAST, NAMES, Opponents
from predictor.backtest.table import printed, scored
from predictor.backtest.traces import Trace
from predictor.grid import LEADS_MS, QUANTILES, TARGETS
from tests.unit.predictor.backtest.tales import evenly, tide


def written(folder: Path, trace: Trace, factor: float = 1.0) -> Trace:
    """A forecast that is the last value times a factor."""
    opponents = Opponents(trace, 0.95)
    values = {
        target: np.stack([opponents.forecasts(target, lead)[LAST] for lead in trace.leads_s], axis=1)[
            ..., None
        ]
        * np.full(len(QUANTILES), factor)
        for target in TARGETS
    }
    np.savez(folder / f"{trace.name}.npz", allow_pickle=False, **values)
    return trace


def test_who_serves_the_last_value_is_as_good_as_the_last_value(tmp_path: Path) -> None:
    traces = [
        written(tmp_path, Trace("web", evenly(1800, 192), tide(4, 1800))),
        written(tmp_path, Trace("flat", evenly(300, 1152), np.zeros(1152))),
        written(tmp_path, Trace("nothing", evenly(300, 1152), np.full(1152, np.nan))),
    ]
    scores = scored(traces, tmp_path)
    known = [LEADS_MS.index(lead * 1000) for lead in (1800, 3600, 21600)]
    np.testing.assert_allclose(scores[0].ratios[:, known, NAMES.index(LAST)], 1)
    assert np.isnan(scores[0].ratios[:, :2]).all()
    np.testing.assert_allclose(scores[1].ratios, 1)
    assert (scores[1].coverage == 1).all()
    assert np.isnan(scores[2].ratios).all()
    assert all(f"{name:30s}" in printed(scores) for name in NAMES)


def test_more_jobs_score_the_same(tmp_path: Path) -> None:
    traces = [
        written(tmp_path, Trace(f"t{n}", evenly(1800, 192), tide(4, 1800, seed=n)), 1.2) for n in range(3)
    ]
    assert printed(scored(traces, tmp_path, 1)) == printed(scored(traces, tmp_path, 2))
