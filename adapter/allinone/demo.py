"""Something to look at without a cluster: this machine's own load, and three demonstration workloads with a past."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from cme.core.progress import Progress
from cme.log.protocol import Log
from cme.sources.demo import load_at

DAYS = 28
SAMPLES_A_MINUTE = 12
CHUNK_MINUTES = 12 * 60
"""Of history written in one append: large enough to be quick, small enough for a smooth progress bar."""

NETWORK = Path("/sys/class/net")


def policies(http: str) -> list[ScalingPolicy]:
    """This process under the name default/tidecast, and the demonstration workloads of the namespace demo."""
    others = sorted(one.name for one in NETWORK.glob("*") if one.name != "lo") if NETWORK.exists() else []
    interfaces = {} if others else {"interfaces": ["lo"]}
    requests = {"targets": [f"http://{http}/metrics"], "metric": "tidecast_http_requests_total"}
    return [
        _policy(
            "default",
            "tidecast",
            [
                _signal("qps", {"scrape": requests}, "10"),
                _signal("bandwidth_in", {"host": {"direction": "in", **interfaces}}, "1M"),
                _signal("bandwidth_out", {"host": {"direction": "out", **interfaces}}, "1M"),
            ],
        ),
        _policy("demo", "web", [_signal("cores", {"demo": {"load": "tide"}}, "4")]),
        _policy("demo", "transcoder", [_signal("queue_backlog", {"demo": {"load": "bursts"}}, "40")]),
        _policy(
            "demo",
            "night-batch",
            [_signal("qps", {"demo": {"load": "batch"}}, "50")],
            schedules=[{"name": "night", "start": "45 21 * * *", "duration": "8h30m", "minReplicas": 10}],
        ),
    ]


def _signal(name: str, source: dict[str, Any], per_replica: str) -> dict[str, Any]:
    return {"name": name, "source": source, "perReplica": per_replica}


def _policy(namespace: str, name: str, signals: list[dict[str, Any]], **more: Any) -> ScalingPolicy:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return ScalingPolicy.model_validate(
        {
            "apiVersion": "tidecast.dev/v1alpha1",
            "kind": "ScalingPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "targetRef": target,
                "signals": signals,
                "forecast": {"quantile": 0.95, "lead": "15m"},
                "scaleDown": {"window": "10m", "maxDecrease": "10%/1m"},
                **more,
            },
        }
    )


def back_fill(log_: Log, demo: list[ScalingPolicy], now_ms: int, progress: Progress) -> None:
    """Write the past of the demonstration workloads, once: a log that has minutes is left alone. Raises LogFailed."""
    if log_.read(["minutes"], {}, 1).batches:
        return
    loads = {
        p.series(s).id: s.source["demo"]["load"] for p in demo for s in p.spec.signals if "demo" in s.source
    }
    end = now_ms // HOUR_MS * HOUR_MS
    start = end - DAYS * DAY_MS
    for first in range(start, end, CHUNK_MINUTES * MINUTE_MS):
        until = min(end, first + CHUNK_MINUTES * MINUTE_MS)
        log_.append(
            [*past("minutes", MINUTE_MS, loads, first, until), *past("hours", HOUR_MS, loads, first, until)]
        )
        progress((until - start) // MINUTE_MS, (end - start) // MINUTE_MS)
    log_.append(list(past("minutes", MINUTE_MS, loads, end, now_ms // MINUTE_MS * MINUTE_MS)))


def past(topic: str, period_ms: int, loads: dict[int, str], start_ms: int, end_ms: int) -> Iterator[Batch]:
    """The records of `minutes` or `hours` that the collector would have written in (start_ms, end_ms]."""
    count = SAMPLES_A_MINUTE * period_ms // MINUTE_MS
    ends = np.arange(start_ms + period_ms, end_ms + 1, period_ms)
    offsets = np.arange(1 - count, 1) * (period_ms / count)
    seconds = (ends[:, None] + offsets) / 1000
    values = np.stack([load_at(load, seconds) for load in loads.values()], axis=1).astype(np.float32)
    series, counts = series_ids(list(loads)), np.full(len(loads), count, dtype=np.uint32)
    flags = np.zeros(len(loads), dtype=np.uint8)
    for end, rows in zip(ends.tolist(), values, strict=True):
        means = {"mean": rows.mean(axis=1), "max": rows.max(axis=1), "last": rows[:, -1]}
        columns = means | {"count": counts, "flags": flags}
        yield Batch(topic, end, series, columns)
