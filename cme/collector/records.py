"""What the collector writes: policies, the meaning of series, samples."""

import json
from collections.abc import Iterable, Sequence

import numpy as np

from cme.collector.sampling import Sampled
from cme.core.batch import Batch, series_ids
from cme.core.identity import SeriesKey
from cme.policies.standing import Standing

LONGEST_PROBLEM = 500
"""Characters of a problem that are kept: the text may be a stranger's, and a record has its limits."""

Row = tuple[SeriesKey, Sampled]


def describe(standings: Iterable[Standing], now_ms: int) -> list[Batch]:
    """Records that say which policies are in effect, why others are not, and what each series means."""
    batches = []
    for standing in standings:
        policy = standing.policy
        batches.append(standing_batch(now_ms, standing))
        if policy is not None:
            batches += [_series_batch(now_ms, policy.series(signal)) for signal in policy.spec.signals]
    return batches


def standing_batch(now_ms: int, standing: Standing) -> Batch:
    """One policy: its document, "" if none is in effect, and why what is written now is not."""
    policy, document, series = standing.policy, "", 0
    if policy is not None:
        document = json.dumps(policy.model_dump(mode="json", by_alias=True), sort_keys=True)
        series = SeriesKey(policy.workload, "replicas").id
    return _policy_batch(now_ms, standing.key, series, document, standing.origin, standing.problem)


def withdrawal(now_ms: int, key: str) -> Batch:
    """A policy that is gone."""
    return _policy_batch(now_ms, key, 0, "", "", "")


def _policy_batch(now_ms: int, key: str, series: int, document: str, origin: str, problem: str) -> Batch:
    columns = {"document": (document,), "origin": (str(origin),), "problem": (_storable(problem),)}
    return Batch("policies", now_ms, series_ids([series]), columns, key=key)


def _series_batch(now_ms: int, key: SeriesKey) -> Batch:
    workload = key.workload
    texts = {
        "namespace": workload.namespace,
        "group": workload.group,
        "kind": workload.kind,
        "name": workload.name,
        "signal": key.signal,
        "unit": key.unit,
    }
    columns = {name: (text,) for name, text in texts.items()}
    return Batch("series", now_ms, series_ids([key.id]), columns, key=f"{key.id:016x}")


def samples_batch(now_ms: int, epoch: int, rows: Sequence[Row]) -> Batch:
    totals = [sampled.total for _, sampled in rows]
    return Batch(
        "samples",
        now_ms,
        series_ids([key.id for key, _ in rows]),
        {
            "value": np.array([t.value if t else np.nan for t in totals]),
            "measured_ms": np.array([t.time_ms if t else now_ms for t in totals], dtype=np.int64),
            "coverage": np.array([t.coverage if t else 0 for t in totals], dtype=np.float32),
            "flags": np.array([t.flags if t else 0 for t in totals], dtype=np.uint8),
            "problem": tuple(_storable(sampled.problem) for _, sampled in rows),
        },
        epoch=epoch,
    )


def _storable(text: str) -> str:
    """A text that a record can hold: half a character (JSON's \\ud800) can't be written as UTF-8."""
    return text[:LONGEST_PROBLEM].encode(errors="replace").decode()
