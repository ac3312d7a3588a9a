"""What the predictor writes, column by column."""

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.log.record import decode, encode
from predictor.decide.chain import Decisions
from predictor.decide.measured import Measured
from predictor.decide.rules import compile_rules
from predictor.engine import Forecast
from predictor.grid import L, Q, T, cell_name, cell_prefix
from predictor.records import BLOCK, decision_batch, forecast_batches, history_batch, trust_batches
from predictor.trust.export import figures
from predictor.trust.record import Day
from tests.unit.predictor.stage import NAN, START, policy

POLICIES = [policy("api", "qps", "lag"), policy("web")]
RULES = compile_rules(POLICIES)


def forecast(series: int) -> Forecast:
    cells = np.arange(T * L * Q * series, dtype=np.float32).reshape(T, L, Q, series)
    marks = np.arange(series, dtype=np.uint32)
    return Forecast(cells, marks, 2 * marks, np.arange(series))


def test_every_cell_has_a_column_under_its_name() -> None:
    made = forecast(2)
    (batch,) = forecast_batches(START, series_ids([8, 9]), made)
    assert (batch.topic, batch.time_ms, batch.key) == ("forecasts", START, "block-0")
    assert batch.series.tolist() == [8, 9]
    assert len(batch.columns) == T * L * Q + 3
    for target in range(T):
        for lead in range(L):
            for q in range(Q):
                column = batch.numbers(cell_name(target, lead, q))
                assert column.dtype == np.float32
                assert column.tolist() == made.values[target, lead, q].tolist()
    assert batch.numbers("uncalibrated").tolist() == [0, 1]
    assert batch.numbers("distrust").tolist() == [0, 2]
    assert batch.numbers("shifted_ms").tolist() == [0, 1]


def test_many_series_come_in_blocks_with_a_key_each() -> None:
    ids = series_ids(list(range(2 * BLOCK + 1)))
    batches = forecast_batches(START, ids, forecast(len(ids)))
    assert [(b.key, len(b.series)) for b in batches] == [
        ("block-0", BLOCK),
        ("block-1", BLOCK),
        ("block-2", 1),
    ]
    assert np.concatenate([b.series for b in batches]).tolist() == ids.tolist()
    cells = np.concatenate([b.numbers("at.5m.q50") for b in batches])
    assert cells.tolist() == forecast(len(ids)).values[0, 0, 0].tolist()


def test_no_series_make_no_record() -> None:
    assert forecast_batches(START, series_ids([]), forecast(0)) == []


def test_the_past_of_forecasts_holds_the_median_and_95_at_15_and_60_minutes() -> None:
    batch = history_batch(START, series_ids([8]), forecast(1))
    assert (batch.topic, batch.key) == ("forecast_history", "")
    assert sorted(batch.columns) == [
        *("at.15m.q50", "at.15m.q95", "at.60m.q50", "at.60m.q95"),
        *("max.15m.q50", "max.15m.q95", "max.60m.q50", "max.60m.q95"),
    ]


def test_what_became_of_forecasts_has_a_column_a_cell_and_figure() -> None:
    day = Day(*np.arange(1, 9 * T * L * 2 + 1, dtype=np.float32).reshape(9, L * T, 2))
    (batch,) = trust_batches(START, series_ids([8, 9]), day, np.array([0, 5], dtype=np.uint32))
    assert (batch.topic, batch.time_ms, batch.key) == ("trust", START, "block-0")
    assert batch.numbers("distrust").tolist() == [0, 5]
    for target in range(T):
        for lead in range(L):
            for name, values in figures(day).items():
                column = batch.numbers(f"{cell_prefix(target, lead)}.{name}")
                assert column.tolist() == values[T * lead + target].tolist()


def decided(**more: list[float]) -> Batch:
    """Decisions of api's qps and lag and of web's qps."""
    rows = 3
    measured = Measured(
        raw=np.array([10.0, 20.0, 30.0]),
        raw_ms=np.array([START - 5, START - 50, START - 500], dtype=np.int64),
        flags=np.zeros(rows, dtype=np.uint8),
        lead_ms=np.array([60_000.0, 60_000.0, 300_000.0]),
        lead_unlearnt=np.zeros(rows, dtype=bool),
        predicted=np.array([11.0, NAN, 31.0]),
        soon=np.full(rows, NAN),
        predicted_ms=np.full(rows, START - 60_000, dtype=np.int64),
        uncalibrated=np.zeros(rows, dtype=bool),
        capped=np.zeros(rows, dtype=bool),
        causes=np.zeros(rows, dtype=np.uint8),
        again=np.full(rows, NAN),
        drain=np.array([NAN, 2.5, NAN]),
    )
    decisions = Decisions(
        need=np.array([11.0, 20.0, 31.0]),
        slowed=np.array([12.0, 21.0, 32.0]),
        value=np.array(more.get("value", [13.0, 22.0, 33.0])),
        reasons=np.array([1, 2, 3], dtype=np.int64),
        replicas=np.array([4.0, NAN]),
        floor=np.array([2.0, 0.0]),
        ceiling=np.array([9.0, np.inf]),
        replica_reasons=np.array([5, 6], dtype=np.int64),
    )
    return decision_batch(START, RULES, measured, decisions)


def test_a_decision_has_a_row_a_signal_and_then_a_row_a_workload() -> None:
    batch = decided()
    assert (batch.topic, batch.time_ms) == ("decisions", START)
    signals = [p.series(s).id for p in POLICIES for s in p.spec.signals]
    assert batch.series.tolist() == [*signals, *RULES.replica_ids.tolist()]
    columns = {name: batch.numbers(name) for name in batch.columns}
    np.testing.assert_array_equal(columns["value"], [13, 22, 33, 4, NAN])
    np.testing.assert_array_equal(columns["need"], [11, 20, 31, NAN, NAN])
    np.testing.assert_array_equal(columns["slowed"], [12, 21, 32, NAN, NAN])
    np.testing.assert_array_equal(columns["raw"], [10, 20, 30, NAN, NAN])
    np.testing.assert_array_equal(columns["predicted"], [11, NAN, 31, NAN, NAN])
    np.testing.assert_array_equal(columns["predicted_ms"], [START - 60_000] * 3 + [0, 0])
    np.testing.assert_array_equal(columns["drain"], [NAN, 2.5, NAN, NAN, NAN])
    np.testing.assert_array_equal(columns["floor"], [NAN, NAN, NAN, 2, 0])
    np.testing.assert_array_equal(columns["ceiling"], [NAN, NAN, NAN, 9, np.inf])
    np.testing.assert_array_equal(columns["reasons"], [1, 2, 3, 5, 6])


def test_a_workload_is_as_old_as_its_oldest_signal_that_counts() -> None:
    assert decided().numbers("raw_ms").tolist()[3:] == [START - 50, START - 500]
    assert decided(value=[13.0, NAN, NAN]).numbers("raw_ms").tolist()[3:] == [START - 5, START]


def test_a_decision_survives_the_log_bit_by_bit() -> None:
    batch = decided()
    read = decode(encode(batch))
    assert read.series.tolist() == batch.series.tolist()
    for name in batch.columns:
        assert read.numbers(name).dtype == batch.numbers(name).dtype
        np.testing.assert_array_equal(read.numbers(name), batch.numbers(name))
