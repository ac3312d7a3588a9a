"""The nowcast of a running predictor."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cme.core.batch import Batch, series_ids
from cme.core.durations import MINUTE_MS, SECOND_MS
from cme.core.policy import SOON_MS
from predictor.grid import QUANTILES, L, Q
from predictor.nowcast.nowcast import Nowcast
from predictor.nowcast.sight import Doubles

START, TICK = 500_000 * MINUTE_MS, 5 * SECOND_MS
IDS = series_ids([11, 12])
NAN = float("nan")


class Life:
    """A nowcast and two series that follow the same noise, the second a thousand times as large."""

    def __init__(self, folder: Path, load: Callable[[int], float], expected: float = 130) -> None:
        self.folder, self._load = folder, load
        self.expected = expected + 10 * np.arange(Q)[:, None] * np.ones((L, Q, 1))
        self.nowcast, self.ticks = Nowcast(folder), 0

    def loads(self, tick: int) -> Doubles:
        return self._load(tick) * np.array([1.0, 1000.0])

    def tell(self, truths: Doubles | None = None) -> Doubles:
        self.ticks += 1
        now, loads = START + self.ticks * TICK, self.loads(self.ticks)
        if now % MINUTE_MS == 0:
            told = {name: loads.astype(np.float32) for name in ("mean", "max")}
            self.nowcast.take_minute(Batch("minutes", now, IDS, dict(told)))
        return self.nowcast.tell(
            now, IDS, loads, loads if truths is None else truths, self.expected * [1, 1000]
        )

    def run(self, ticks: int) -> Doubles:
        """[tick, Q, series]"""
        return np.stack([self.tell() for _ in range(ticks)])

    def truth(self, tick: int) -> float:
        return max(self._load(tick + later) for later in range(1, SOON_MS // TICK + 1))


def noise(seed: int = 3) -> Callable[[int], float]:
    """It returns to 100 within minutes: what is high now will not be for long."""
    draws, values = np.random.default_rng(seed), [100.0]
    while len(values) < 40_000:
        values.append(100 + 0.95 * (values[-1] - 100) + draws.normal(0, 2))
    return lambda tick: values[tick]


def test_it_comes_to_cover_as_often_as_it_promises(tmp_path: Path) -> None:
    life = Life(tmp_path, noise())
    life.run(20_000)
    told = life.run(6_000)[:, :, 0]
    truths = np.array([life.truth(20_001 + number) for number in range(len(told))])
    np.testing.assert_allclose((truths[:, None] <= told).mean(axis=0), QUANTILES, atol=0.04)


def test_it_comes_to_be_nearer_than_what_it_starts_from(tmp_path: Path) -> None:
    life = Life(tmp_path, noise())
    untaught, first = life.run(3_000)[:600, 2, 0], range(1, 601)
    life.run(15_000)
    taught, later = life.run(600)[:, 2, 0], range(18_001, 18_601)

    def loss(told: Doubles, ticks: range) -> float:
        above = np.array([life.truth(tick) for tick in ticks]) - told
        return float(np.maximum(0.95 * above, -0.05 * above).mean())

    assert loss(taught, later) < 0.6 * loss(untaught, first)


def test_a_thousand_times_the_load_is_a_thousand_times_the_number(tmp_path: Path) -> None:
    told = Life(tmp_path, noise()).run(3_000)
    np.testing.assert_allclose(told[:, :, 1], 1000 * told[:, :, 0], rtol=1e-3)


def test_nothing_of_what_comes_later_is_known(tmp_path: Path) -> None:
    known = noise()
    one = Life(tmp_path / "a", known)
    other = Life(tmp_path / "b", lambda tick: known(tick) if tick <= 2_000 else 7.0)
    np.testing.assert_array_equal(one.run(2_000), other.run(2_000))
    assert not np.array_equal(one.run(100), other.run(100))


@pytest.mark.parametrize("load", [NAN])
def test_without_a_sample_nothing_is_told(load: float, tmp_path: Path) -> None:
    life = Life(tmp_path, lambda tick: load if tick == 50 else 100.0)
    assert np.isfinite(life.run(49)).all()
    assert np.isnan(life.tell()).all()
    assert np.isfinite(life.tell()).all()


def test_lower_bounds_of_a_load_are_no_truths(tmp_path: Path) -> None:
    """A saturated workload shows 100 for ever; that teaches nothing."""
    life = Life(tmp_path, lambda tick: 100.0)
    first = life.tell(truths=np.full(2, NAN))
    for _ in range(3_000):
        last = life.tell(truths=np.full(2, NAN))
    np.testing.assert_allclose(first, last, rtol=1e-6)


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    tmp_path.mkdir(exist_ok=True)
    life = Life(tmp_path, noise())
    life.run(5_000)
    life.nowcast.save()
    before = life.tell()
    life.nowcast, life.ticks = Nowcast(tmp_path), life.ticks - 20
    life.run(19)
    after = life.tell()
    # The newest minutes are not kept.
    np.testing.assert_allclose(after, before, rtol=0.05)
    life.nowcast = Nowcast(tmp_path / "other")
    life.ticks -= 20
    life.run(19)
    assert np.abs(life.tell() / before - 1).max() > 0.05


def test_a_damaged_memory_is_learnt_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    life = Life(tmp_path, noise())
    life.run(100)
    life.nowcast.save()
    path = tmp_path / "nowcast.state"
    path.write_bytes(path.read_bytes()[:-3])
    assert np.isfinite(Life(tmp_path, noise()).tell()).all()
    assert "nowcast.state is damaged" in caplog.text


def test_a_disk_that_takes_nothing_costs_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    life = Life(tmp_path / "file", noise())
    life.run(10)
    life.nowcast.save()
    assert "after a restart the nowcast learns anew" in caplog.text
    assert np.isfinite(life.tell()).all()


def test_a_clock_that_is_set_back_begins_anew_and_loses_no_weights(tmp_path: Path) -> None:
    life = Life(tmp_path, noise())
    life.run(5_000)
    life.ticks -= 4_000
    assert np.isfinite(life.run(500)).all()


def test_series_come_and_go(tmp_path: Path) -> None:
    life = Life(tmp_path, noise())
    life.run(200)
    now = START + 201 * TICK
    both, one = series_ids([12, 13]), series_ids([11])
    more = life.nowcast.tell(now, both, np.full(2, 100.0), np.full(2, 100.0), life.expected * [1, 1])
    assert np.isfinite(more).all()
    alone = life.nowcast.tell(now + TICK, one, np.full(1, 100.0), np.full(1, 100.0), life.expected)
    assert alone.shape == (Q, 1)
    none = life.nowcast.tell(now + 2 * TICK, series_ids([]), np.zeros(0), np.zeros(0), life.expected[..., :0])
    assert none.shape == (Q, 0)
