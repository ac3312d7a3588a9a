"""Trust and saturation in the life of an engine."""

import numpy as np

from cme.core.distrust import Cause, unpacked
from predictor.arrays import Floats
from predictor.engine import Engine, Forecast
from predictor.grid import MAX, Grid, L, T
from predictor.history import Bin

DAY = Grid().day
TURN, END = DAY // 2, DAY + DAY // 2
FIVE_MINUTES = MAX  # the cell
CAN_CARRY = 1200


def adversary(forecast: Forecast, beat: int) -> float:
    """A tide until TURN, then always a little more than was forecast, until it falls and begins anew."""
    if beat < TURN:
        return float(1000 + 300 * np.sin(2 * np.pi * beat / DAY) + beat * 7919 % 41)
    upper = float(forecast.values[MAX, 0, 2, 0])
    return 1.05 * upper if upper < 3000 else 100.0


def live(engine: Engine, forecast: Forecast, beats: range) -> list[Forecast]:
    made = []
    for beat in beats:
        load = np.array([adversary(forecast, beat)], dtype=np.float32)
        forecast = engine.step(beat, Bin(load, load, load))
        made.append(forecast)
    return made


def started() -> tuple[Engine, Forecast]:
    engine = Engine()
    engine.rows([1])
    load = np.ones(1, dtype=np.float32)
    return engine, engine.step(0, Bin(load, load, load))


def test_an_adversary_costs_trust_within_a_day_and_a_restart_knows() -> None:
    engine, forecast = started()
    early = live(engine, forecast, range(1, TURN + DAY // 4))
    again = Engine()
    again.load({name: array.copy() for name, array in engine.save().items()})
    late = live(engine, early[-1], range(TURN + DAY // 4, END))
    causes = [Cause(int(unpacked(f.distrust, L * T)[FIVE_MINUTES, 0])) for f in early + late]
    assert causes[TURN - 1] == Cause.NONE
    assert causes[END - 2] != Cause.NONE
    repeated = live(again, early[-1], range(TURN + DAY // 4, TURN + DAY // 2))
    assert [f.distrust.tolist() for f in repeated] == [f.distrust.tolist() for f in late[: DAY // 4]]
    np.testing.assert_array_equal(repeated[-1].values, late[DAY // 4 - 1].values)


def cut_tides() -> list[Floats]:
    """.95 quantiles of the largest load [lead, series] at noon of the third day. From the second day on no more than
    CAN_CARRY is served: the first series says so, the second does not, and the third has no such limit."""
    beats = np.arange(2 * DAY + DAY // 4)
    wanted = 1000 + 500 * np.sin(2 * np.pi * beats / DAY) + beats * 7919 % 41
    engine = Engine()
    engine.rows([1, 2, 3])
    for beat, load in enumerate(wanted):
        served = min(load, CAN_CARRY) if beat >= DAY else load
        loads = np.array([served, served, load], dtype=np.float32)
        forecast = engine.step(
            beat, Bin(loads, loads, loads, saturated=np.array([served < load, False, False]))
        )
    between_beats = engine.forecast(loads, loads)
    return [forecast.values[MAX, :, 2], between_beats.values[MAX, :, 2]]


def test_a_saturated_load_does_not_teach_that_so_little_was_wanted() -> None:
    for flagged, silent, free in (upper.T for upper in cut_tides()):
        assert (silent < free).all()
        assert (flagged > (silent + free) / 2).all()
