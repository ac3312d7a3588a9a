import contextlib
from pathlib import Path

import numpy as np

from adapter.allinone import demo
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.log.embedded import EmbeddedLog
from cme.log.protocol import Position
from cme.sources.demo import load_at

NOW = 1_795_574_000_000


def test_the_past_is_written_once_and_ends_now(tmp_path: Path) -> None:
    policies = demo.policies("127.0.0.1:1")
    steps: list[tuple[int, int]] = []
    with contextlib.closing(EmbeddedLog.open(tmp_path, writable=True)) as log:
        demo.back_fill(log, policies, NOW, lambda done, total: steps.append((done, total)))
        position: Position = {}
        ends: list[int] = []
        while (chunk := log.read(["minutes"], position)).batches:
            ends += [batch.time_ms for batch in chunk.batches]
            position = chunk.position
        demo.back_fill(log, policies, NOW, lambda done, total: steps.append((0, 0)))
        assert not log.read(["minutes"], position).batches
    assert np.all(np.diff(ends) == MINUTE_MS)
    assert NOW - ends[-1] < MINUTE_MS
    assert ends[0] == NOW // HOUR_MS * HOUR_MS - demo.DAYS * DAY_MS + MINUTE_MS
    assert steps[-1] == (demo.DAYS * 1440, demo.DAYS * 1440)


def test_a_minute_holds_what_the_collector_would_have_measured() -> None:
    end = NOW // MINUTE_MS * MINUTE_MS
    (minute,) = demo.past("minutes", MINUTE_MS, {7: "tide"}, end - MINUTE_MS, end)
    values = load_at("tide", (end - np.arange(11, -1, -1) * 5000) / 1000)
    assert minute.time_ms == end
    assert minute.numbers("mean")[0] == np.float32(values.astype(np.float32).mean())
    assert minute.numbers("max")[0] == np.float32(values.max())
    assert minute.numbers("last")[0] == np.float32(values[-1])
    assert minute.numbers("count")[0] == 12


def test_every_policy_of_the_demonstration_is_of_its_own_workload() -> None:
    workloads = [policy.workload for policy in demo.policies("127.0.0.1:8080")]
    assert len(set(workloads)) == len(workloads) == 4
