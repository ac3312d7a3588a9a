"""What the predictor writes: forecasts, their thin history, decisions."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cme.core.batch import Batch, Column
from cme.core.reasons import Reason
from predictor.decide.chain import Decisions
from predictor.decide.measured import Measured
from predictor.decide.rules import Rules
from predictor.engine import Forecast
from predictor.grid import L, Q, T, cell_name, cell_prefix
from predictor.trust.export import figures
from predictor.trust.record import Day

BLOCK = 512
"""Series per record of `forecasts`: a compacted topic keeps the newest record of each block."""

HISTORY_CELLS = [(target, lead, q) for target in range(T) for lead in (1, 3) for q in (0, 2)]
"""The median and .95 at 15 and 60 minutes."""


def forecast_batches(now_ms: int, ids: NDArray[np.uint64], forecast: Forecast) -> list[Batch]:
    """All cells of all series, in blocks."""
    cells = {
        cell_name(t, h, q): forecast.values[t, h, q] for t in range(T) for h in range(L) for q in range(Q)
    }
    columns = {name: values.astype(np.float32) for name, values in cells.items()}
    columns |= {
        "uncalibrated": forecast.uncalibrated,
        "distrust": forecast.distrust,
        "shifted_ms": forecast.shifted_ms,
    }
    return blocks(Batch("forecasts", now_ms, ids, columns))


def blocks(whole: Batch) -> list[Batch]:
    """A batch of a compacted topic as records of BLOCK series, each with a key of its own."""
    parts = [whole.rows(start, start + BLOCK) for start in range(0, len(whole.series), BLOCK)]
    return [replace(part, key=f"block-{number}") for number, part in enumerate(parts)]


def trust_batches(
    now_ms: int, ids: NDArray[np.uint64], day: Day, distrust: NDArray[np.uint32]
) -> list[Batch]:
    """What became of the last day's forecasts, beside the opponent's: `max.15m.loss_ratio`; in blocks."""
    columns: dict[str, Column] = {"distrust": distrust}
    for name, values in figures(day).items():
        columns |= {f"{cell_prefix(t, h)}.{name}": values[h * T + t] for t in range(T) for h in range(L)}
    return blocks(Batch("trust", now_ms, ids, columns))


def history_batch(now_ms: int, ids: NDArray[np.uint64], forecast: Forecast) -> Batch:
    """The few cells that stay readable for 35 days."""
    columns = {cell_name(t, h, q): forecast.values[t, h, q].astype(np.float32) for t, h, q in HISTORY_CELLS}
    return Batch("forecast_history", now_ms, ids, columns)


def decision_batch(now_ms: int, rules: Rules, measured: Measured, decisions: Decisions) -> Batch:
    """One row per signal, then one per workload: its `value` is replicas, `floor` and `ceiling` what bounds them.

    `raw_ms` of a workload's row is the oldest among the signals that count, so that no age looks younger than
    its oldest ingredient.
    """
    workloads = len(rules.replica_ids)
    nothing, of_signals = np.full(workloads, np.nan), np.full(len(rules.signal_ids), np.nan)
    # A backlog counts also where it only wakes a workload, with no number of its own.
    counted = np.isfinite(decisions.value) | ((decisions.reasons & Reason.ARRIVALS_MISSING) > 0)
    oldest = np.full(workloads, now_ms)
    np.minimum.at(oldest, rules.workload_of[counted], measured.raw_ms[counted])
    columns = {
        "value": np.concatenate([decisions.value, decisions.replicas]),
        "reasons": np.concatenate([decisions.reasons, decisions.replica_reasons]),
        "need": np.concatenate([decisions.need, nothing]),
        "slowed": np.concatenate([decisions.slowed, nothing]),
        "raw": np.concatenate([measured.raw, nothing]),
        "raw_ms": np.concatenate([measured.raw_ms, oldest]),
        "predicted": np.concatenate([measured.predicted, nothing]),
        "predicted_ms": np.concatenate([measured.predicted_ms, np.zeros(workloads, dtype=np.int64)]),
        "lead_ms": np.concatenate([measured.lead_ms, nothing]),
        "drain": np.concatenate([measured.drain, nothing]),
        "floor": np.concatenate([of_signals, decisions.floor]),
        "ceiling": np.concatenate([of_signals, decisions.ceiling]),
    }
    series = np.concatenate([rules.signal_ids, rules.replica_ids])
    return Batch("decisions", now_ms, series, columns)
