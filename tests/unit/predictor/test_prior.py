"""The prior: what a mature pool knows goes through the log into an engine that has nothing else."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cme.core.batch import Batch
from cme.core.durations import MINUTE_MS
from cme.log.embedded import EmbeddedLog
from cme.log.record import decode, encode
from predictor.arrays import Floats
from predictor.engine import Engine
from predictor.history import Bin
from predictor.pool import Pool
from predictor.prior import TOPIC, prior_batch, start_from_log


def learned(seed: int = 1) -> Pool:
    pool, random = Pool(), np.random.default_rng(seed)
    pool.start_from(
        {n: np.asarray(random.random(a.shape) / 99, dtype=np.float32) for n, a in pool.coefficients().items()}
    )
    return pool


def log_with(folder: Path, *batches: Batch) -> EmbeddedLog:
    log = EmbeddedLog.open(folder, writable=True)
    log.append(batches)
    return log


def same(one: Pool, other: Pool) -> bool:
    pairs = zip(one.coefficients().values(), other.coefficients().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def forecasts(pool: Pool) -> Floats:
    engine = Engine(pool=pool)
    engine.rows(range(2))
    loads = np.random.default_rng(2).random((40, 2)).astype(np.float32) + 1
    return np.array([engine.step(beat, Bin(x, x, x)).values for beat, x in enumerate(loads)])


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    pool, read = learned(), Pool()
    with_it = log_with(tmp_path, prior_batch(MINUTE_MS, learned(2)), prior_batch(2 * MINUTE_MS, pool))
    start_from_log(with_it, read)
    with_it.close()
    assert same(read, pool)


def test_engines_of_one_prior_forecast_the_same_to_the_last_bit(tmp_path: Path) -> None:
    with_it = log_with(tmp_path, prior_batch(MINUTE_MS, learned()))
    pools = Pool(), Pool()
    for pool in pools:
        start_from_log(with_it, pool)
    with_it.close()
    one, other = (forecasts(pool) for pool in pools)
    assert one.tobytes() == other.tobytes()
    assert one.tobytes() != forecasts(Pool()).tobytes()


@pytest.mark.parametrize("what", ["another version", "other shapes", "no numbers", "other columns"])
def test_a_record_that_cannot_be_used_is_refused_aloud(
    what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch = prior_batch(MINUTE_MS, learned())
    values, version = batch.numbers("value"), batch.numbers("version")
    bad = {
        "another version": replace(batch, columns={"value": values, "version": version + np.uint32(1)}),
        "other shapes": batch.rows(0, len(values) - 1),
        "no numbers": replace(batch, columns={"value": values * np.nan, "version": version}),
        "other columns": replace(batch, columns={"value": values}),
    }[what]
    pool, with_it = Pool(), log_with(tmp_path, replace(bad, key="pool"))
    start_from_log(with_it, pool)
    with_it.close()
    assert same(pool, Pool())
    assert "the log's prior is left out" in caplog.text


def test_without_a_record_it_starts_from_constants_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    empty = EmbeddedLog.open(tmp_path, writable=True)
    caplog.clear()
    pool = Pool()
    start_from_log(empty, pool)
    empty.close()
    assert same(pool, Pool())
    assert not caplog.text


def test_a_record_fits_the_log_whole() -> None:
    batch = prior_batch(MINUTE_MS, learned())
    assert decode(encode(batch)).numbers("value").tobytes() == batch.numbers("value").tobytes()
    assert batch.topic == TOPIC


def test_a_young_pool_is_not_where_others_start_from() -> None:
    assert not Pool().mature
