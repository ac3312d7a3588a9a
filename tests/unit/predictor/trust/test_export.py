"""The fleet's figures."""

import numpy as np
from prometheus_client import CollectorRegistry

from cme.core.distrust import Cause
from cme.runtime.telemetry import PredictorTelemetry
from predictor.grid import L, T
from predictor.trust.export import export, figures
from predictor.trust.record import Day

CELLS, SERIES = L * T, 3


def day() -> Day:
    """The third series was never compared; the second is twice as bad as the first."""

    def cells(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.tile(np.array(values, dtype=np.float32), (CELLS, 1))

    return Day(
        count=cells(100, 200, 0),
        covered=cells(95, 160, 0),
        baseline_covered=cells(90, 190, 0),
        loss=cells(10, 20, 0),
        baseline_loss=cells(20, 20, 0),
        over=cells(30, 60, 0),
        baseline_over=cells(60, 60, 0),
        bias=cells(-5, 10, 0),
        load=cells(1000, 1000, 0),
    )


def test_figures_are_beside_the_opponents() -> None:
    found = {name: values[0].tolist() for name, values in figures(day()).items()}
    np.testing.assert_allclose(found["coverage"], [0.95, 0.8, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["baseline_coverage"], [0.9, 0.95, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["loss_ratio"], [0.5, 1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["over_ratio"], [0.5, 1, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["bias_ratio"], [-0.005, 0.01, np.nan], rtol=1e-6)
    assert found["compared"] == [100, 200, 0]


def test_metrics_are_medians_and_counts_of_the_fleet() -> None:
    registry = CollectorRegistry()
    last = 3 * (CELLS - 1)  # max at 360 min
    distrust = np.array([0, Cause.LOSS << last, (Cause.LOSS | Cause.COVERAGE) << last], dtype=np.uint32)
    export(PredictorTelemetry(registry), day(), distrust)

    def told(name: str, **more: str) -> float | None:
        labels = {"target": "max", "lead": "360m", **more}
        return registry.get_sample_value(f"tidecast_forecast_{name}", labels)

    assert told("compared_series") == 2
    assert told("loss_ratio") == 0.75
    assert [told("untrusted_series", cause=c) for c in ("loss", "over", "coverage")] == [2, 0, 1]
    assert told("untrusted_series", lead="5m", cause="loss") == 0


def test_a_fleet_without_comparisons_has_figures_that_are_no_numbers() -> None:
    registry = CollectorRegistry()
    nothing = Day(*np.zeros((9, CELLS, 0), dtype=np.float32))
    export(PredictorTelemetry(registry), nothing, np.zeros(0, dtype=np.uint32))
    labels = {"target": "at", "lead": "5m"}
    coverage = registry.get_sample_value("tidecast_forecast_coverage", labels)
    assert coverage is not None
    assert np.isnan(coverage)
