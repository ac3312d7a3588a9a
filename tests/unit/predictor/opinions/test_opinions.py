"""Second opinions in a predictor on a real log: chosen, fitted, mixed in, weighed, and back after a restart."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cme.collector.rollup import Bucket, rollup_batch
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.errors import InvalidInput
from cme.runtime.telemetry import PredictorTelemetry
from predictor.grid import T
from predictor.models.fitter import outlook
from predictor.opinions.fitting import EVERY_MS, Fit, Fitting, hours_of
from predictor.opinions.opinion import Opinion
from predictor.opinions.outlook import Outlook
from predictor.runner import Predictor
from tests.unit.predictor.stage import START, Stage, policy

MODELS = "tests.unit.predictor.models"
WEB = policy("web", forecast={"models": ["ets"], "lead": "6h"})
ALONE = policy("web", forecast={"lead": "6h"})
ID = WEB.series(WEB.spec.signals[0]).id
SAID = Outlook(START, np.full((T, 24), 10.0), np.ones((T, 24)), 200.0)
LABELS = {"workload": str(WEB.workload), "signal": "qps", "model": "ets", "lead": "60m"}


def tide(since_start_ms: int) -> float:
    return 100 + 60 * math.sin(2 * math.pi * since_start_ms / DAY_MS) + 5 * math.sin(since_start_ms / 7e6)


def hours(stage: Stage) -> None:
    """Of the ten days before START."""
    for ago in reversed(range(240)):
        load = tide(-ago * HOUR_MS)
        stage.log.append(
            [rollup_batch("hours", START - ago * HOUR_MS, [ID], [Bucket(load, load + 5, load, 0, 1)])]
        )


async def lived(stage: Stage, predictor: Predictor, minutes: int) -> None:
    """A minute's record and a turn for each."""
    first = stage.clock.now_ms() - START
    for number in range(1, minutes + 1):
        at = first + number * MINUTE_MS
        load = tide(at)
        stage.clock.advance(MINUTE_MS)
        stage.log.append(
            [rollup_batch("minutes", START + at, [ID], [Bucket(load, load + 5, load, START + at, 1)])]
        )
        await predictor.turn()


def fitting(stage: Stage, predictor: Predictor, fit: Fit = outlook) -> Fitting:
    telemetry = PredictorTelemetry(stage.new_registry())
    return Fitting(stage.log, stage.clock, predictor.opinions, telemetry, fit)


def opinion(predictor: Predictor) -> Opinion:
    return predictor.opinions.chosen[ID].opinion


async def test_a_chosen_series_is_fitted_mixed_and_weighed_and_comes_back_after_a_restart(
    stage: Stage,
) -> None:
    stage.describe(WEB)
    hours(stage)
    stage.past(tide, 12 * 60)
    predictor = stage.started()
    registry = stage.registry
    await fitting(stage, predictor).turn()
    assert stage.registry.get_sample_value("tidecast_model_fits_total", {"model": "ets"}) == 1
    assert opinion(predictor).outlooks["ets"].end_ms == START
    await lived(stage, predictor, 130)
    weights = opinion(predictor).mix.weights
    assert (opinion(predictor).mix.count[0] >= 3).all()
    assert not np.array_equal(weights[0], Opinion(("ets",)).mix.weights[0])
    assert registry.get_sample_value("tidecast_model_weight", LABELS) == pytest.approx(
        weights[0, :, 1, 2].mean()
    )
    assert registry.get_sample_value("tidecast_model_loss_ratio", LABELS) is not None

    predictor.save()
    before = opinion(predictor).save()
    after = opinion(stage.started()).save()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)


async def test_only_long_leads_of_the_chosen_change_and_hardly_at_first(stage: Stage, tmp_path: Path) -> None:
    stage.describe(WEB)
    hours(stage)
    stage.past(tide, 12 * 60)
    predictor = stage.started()
    opinion(predictor).outlooks["ets"] = SAID
    ids, engine = predictor._learner.forecast()
    mixed = predictor.opinions.mixed(ids, engine, START)
    np.testing.assert_array_equal(mixed.values[:, :3], engine.values[:, :3])
    assert (mixed.values[:, 3:] != engine.values[:, 3:]).any()
    np.testing.assert_allclose(mixed.values[:, 3:], engine.values[:, 3:], rtol=0.05)
    assert (np.diff(mixed.values, axis=2) >= 0).all()


async def test_a_model_that_hangs_is_killed_counted_and_blocks_nobody(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.describe(WEB)
    hours(stage)
    stage.past(tide, 60)
    predictor = stage.started()
    hanging = partial(outlook, module=f"{MODELS}.hanging", limit_s=1.0)
    await fitting(stage, predictor, hanging).turn()
    labels = {"model": "ets", "reason": "too slow"}
    assert stage.registry.get_sample_value("tidecast_model_failures_total", labels) == 1
    assert "was killed after 1 s" in caplog.text
    await lived(stage, predictor, 10)
    assert stage.batches("forecasts")[-1].time_ms == START + 10 * MINUTE_MS


@pytest.mark.parametrize(("module", "reason"), [("nonsense", "nonsense"), ("dying", "ended")])
async def test_a_model_that_says_nonsense_is_dropped_until_it_is_asked_again(
    stage: Stage, module: str, reason: str
) -> None:
    stage.describe(WEB)
    hours(stage)
    stage.past(tide, 60)
    predictor = stage.started()
    opinion(predictor).outlooks["ets"] = SAID
    bad = fitting(stage, predictor, partial(outlook, module=f"{MODELS}.{module}"))
    await bad.turn()
    assert not opinion(predictor).outlooks
    await bad.turn()  # too early
    stage.clock.advance(EVERY_MS)
    await bad.turn()
    labels = {"model": "ets", "reason": reason}
    assert stage.registry.get_sample_value("tidecast_model_failures_total", labels) == 2
    ids, engine = predictor._learner.forecast()
    np.testing.assert_array_equal(predictor.opinions.mixed(ids, engine, START).values, engine.values)


def test_a_memory_of_other_models_is_left(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.describe(WEB)
    stage.past(tide, 60)
    stage.started().save()
    stage.describe(policy("web", forecast={"models": ["ets", "sarimax"]}))
    assert opinion(stage.started()).models == ("ets", "sarimax")
    assert "saved opinions are of other models" in caplog.text


def test_without_models_nothing_is_chosen_and_nothing_written(stage: Stage) -> None:
    stage.describe(ALONE)
    stage.past(tide, 60)
    predictor = stage.started()
    predictor.save()
    assert not predictor.opinions.chosen
    assert not (stage.folder / "opinions.state").exists()


def test_hours_that_the_log_lacks_are_gaps(stage: Stage) -> None:
    stage.describe(WEB)
    hours(stage)
    found = hours_of(stage.log, ID, START)
    assert np.isfinite(found).sum(axis=1).tolist() == [240, 240]
    assert found[:, -1].tolist() == pytest.approx([tide(0), tide(0) + 5])


@pytest.mark.parametrize("models", [["prophet"], ["ets", "ets"]])
def test_a_model_that_there_is_not_or_twice_is_refused(models: list[str]) -> None:
    with pytest.raises(InvalidInput, match="models"):
        policy("web", forecast={"models": models})
