import contextlib
import json
from pathlib import Path

import numpy as np

from adapter.allinone import demo
from cme.collector.records import describe
from cme.core.clock import ManualClock
from cme.core.durations import HOUR_MS
from cme.log.embedded import EmbeddedLog
from cme.policies.standing import Standing
from predictor.decomposer import Decomposer
from predictor.models.parts import parts_of

NOW = 1_795_574_000_000


async def test_every_series_is_told_in_parts_or_as_too_young(tmp_path: Path) -> None:
    policies = demo.policies("127.0.0.1:1")
    with contextlib.closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        log.append(describe(map(Standing.valid, policies), NOW))
        demo.back_fill(log, policies, NOW, lambda done, total: None)
        await Decomposer(log, ManualClock(NOW)).turn()
        (record,) = log.newest("decompositions")
    told = dict(zip(record.series.tolist(), record.texts("parts"), strict=True))
    ids = {f"{p.metadata.name} {s.name}": p.series(s).id for p in policies for s in p.spec.signals}
    assert told[ids["tidecast qps"]] == ""
    tide = json.loads(told[ids["web cores"]])
    assert tide["strengths"]["day"] > 0.9
    assert np.argmax(tide["day"]) in (15, 16)
    assert (len(tide["trend"]), len(tide["day"]), len(tide["week"])) == (28, 24, 7)


async def test_a_log_without_series_is_left_alone(tmp_path: Path) -> None:
    with contextlib.closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        await Decomposer(log, ManualClock(NOW)).turn()
        assert not log.newest("decompositions")


def test_the_usual_week_begins_on_monday() -> None:
    end = 1_795_910_400_000  # Sunday 2026-11-29 00:00 UTC
    hours = np.arange(28 * 24) + end // HOUR_MS - 28 * 24
    load = np.where(hours // 24 % 7 == 2, 50.0, 100.0)  # days since a Thursday: 2 is Saturday
    week = parts_of(end, load)["week"]
    assert np.argmin(week) == 5


def test_what_precedes_a_young_series_is_no_gap() -> None:
    load = np.full(28 * 24, np.nan)
    load[-10 * 24 :] = 100 + 10 * np.sin(2 * np.pi * np.arange(240) / 24)
    assert len(parts_of(NOW // HOUR_MS * HOUR_MS, load)["trend"]) == 10
