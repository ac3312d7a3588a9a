import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from predictor.grid import QUANTILES, Q, T
from predictor.opinions.mix import PRIOR, Mix
from predictor.opinions.outlook import LEADS, Doubles

CELLS = (len(LEADS), T)
_SCORES = np.array([0.0, 1.2816, 1.6449, 2.3263])


def engine(level: float = 100.0, spread: float = 10.0) -> Doubles:
    return np.broadcast_to(level + spread * _SCORES, (*CELLS, Q)).copy()


def lived(
    mix: Mix, truths: Doubles, ours: Doubles, mean: Doubles, deviation: float, largest: float
) -> Doubles:
    """Losses [origin, Q] of what was served of the first cell; `mean` [origin] is the model's root."""
    losses, levels = [], np.array(QUANTILES)
    for truth, root in zip(truths, mean, strict=True):
        said, sure = np.full((*CELLS, 1), root), np.full((*CELLS, 1), deviation)
        competitors = mix.competitors(ours, said, sure, np.array([largest]))
        error = truth - mix.combined(competitors)[0, 0]
        losses.append(np.maximum(levels * error, (levels - 1) * error))
        mix.learn(0, np.full(T, truth), competitors[0], said[0], sure[0])
    return np.array(losses)


def pinball(error: Doubles) -> Doubles:
    levels = np.array(QUANTILES)
    return np.asarray(np.maximum(levels * error, (levels - 1) * error))


TRUTHS = np.random.default_rng(5).normal(100, 10, 600)


@pytest.mark.parametrize("root", [0.0, 3.0, 40.0, np.nan])
def test_a_bad_model_costs_next_to_nothing(root: float) -> None:
    losses = lived(Mix(1), TRUTHS, engine(), np.full(600, root), 1.0, 150.0)
    alone = pinball(TRUTHS[:, None] - engine()[0, 0])
    assert (losses.mean(axis=0) <= 1.05 * alone.mean(axis=0)).all()
    assert (losses[300:].mean(axis=0) <= 1.001 * alone[300:].mean(axis=0)).all()


def test_a_model_that_knows_better_takes_over() -> None:
    mix = Mix(1)
    losses = lived(mix, TRUTHS, engine(), np.sqrt(TRUTHS), 0.05, 150.0)
    alone = pinball(TRUTHS[:, None] - engine()[0, 0])
    assert (losses[300:].mean(axis=0) < 0.3 * alone[300:].mean(axis=0)).all()
    assert (mix.weights[0, :, 1] > 0.9).all()
    assert (mix.loss_ratios(2)[0] < 0.3).all()
    assert (mix.weights[1, :, 1] == PRIOR).all()  # the other lead has learned nothing


def test_a_model_that_was_good_once_and_is_no_more_loses_its_weight() -> None:
    mix = Mix(1)
    lived(mix, TRUTHS, engine(), np.sqrt(TRUTHS), 0.05, 150.0)
    losses = lived(mix, TRUTHS, engine(), np.full(600, 2.0), 0.05, 150.0)
    alone = pinball(TRUTHS[:, None] - engine()[0, 0])
    assert (losses[300:].mean(axis=0) <= 1.01 * alone[300:].mean(axis=0)).all()


def test_a_model_is_calibrated_until_it_is_exceeded_as_often_as_it_promises() -> None:
    mix = Mix(1)
    lived(mix, np.tile(TRUTHS, 3), engine(), np.full(1800, 10.0), 0.1, 150.0)  # five times too sure
    q95 = (10 + mix.scores[0, 0, 0, 2] * 0.1) ** 2
    assert (q95 >= TRUTHS).mean() == pytest.approx(0.95, abs=0.03)


WILD = st.floats(0, 1e6) | st.just(float("nan"))


@settings(max_examples=50, deadline=None)
@given(
    means=arrays(float, (*CELLS, 2), elements=WILD),
    deviations=arrays(float, (*CELLS, 2), elements=WILD),
    truth=arrays(float, T, elements=st.floats(0, 1e9) | st.just(float("nan"))),
)
def test_whatever_models_say_what_is_served_is_ordered_and_a_number(
    means: Doubles, deviations: Doubles, truth: Doubles
) -> None:
    mix = Mix(2)
    for _ in range(3):
        competitors = mix.competitors(engine(), means, deviations, np.array([150.0, np.inf]))
        served = mix.combined(competitors)
        assert np.isfinite(served).all()
        assert (served >= 0).all()
        assert (np.diff(served, axis=-1) >= 0).all()
        mix.learn(0, truth, competitors[0], means[0], deviations[0])
        assert np.isfinite(mix.weights).all()
        assert mix.weights.sum(axis=2) == pytest.approx(1)


def test_what_the_engine_does_not_say_no_model_says() -> None:
    mix = Mix(1)
    said = np.full((*CELLS, 1), 10.0)
    competitors = mix.competitors(np.full((*CELLS, Q), np.nan), said, said, np.array([1e3]))
    assert np.isnan(mix.combined(competitors)).all()
    before = mix.weights.copy()
    mix.learn(0, np.ones(T), competitors[0], said[0], said[0])
    np.testing.assert_array_equal(mix.weights, before)


def test_it_is_saved_and_loaded_and_refuses_that_of_other_models() -> None:
    mix, again = Mix(1), Mix(1)
    lived(mix, TRUTHS[:50], engine(), np.sqrt(TRUTHS[:50]), 0.05, 150.0)
    again.load(mix.save())
    np.testing.assert_array_equal(again.weights, mix.weights)
    np.testing.assert_array_equal(again.scores, mix.scores)
    with pytest.raises(ValueError, match="no fitting weights"):
        Mix(2).load(mix.save())
