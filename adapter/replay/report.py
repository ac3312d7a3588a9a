"""Replays as one HTML file that needs nothing else: tables, charts over time, shortage against over-provision."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from adapter.web.standalone import STATIC, standalone

Document = dict[str, Any]
"""What `study.document` gives."""

_SUMMED = ("replica_hours", "demand_hours", "cost", "cores_saved", "minutes_short", "changes", "flaps")
_OF_DEMAND = ("short", "over")
_LARGEST = ("worst_minute", "longest_delay_s")


def html(documents: Sequence[Document], title: str) -> str:
    """The report of a document for each workload."""
    here = files("adapter.replay")
    data = {"title": title, "workloads": documents, "together": together(documents)}
    parts = {name: (here / f"{name}.js").read_text() for name in ("tables", "charts", "report")}
    return standalone(here / "report.html", data, page=(STATIC / "page.css").read_text(), **parts)


def together(documents: Sequence[Document]) -> list[Document]:
    """The figures, over all workloads, of the contenders that each of them has: sums, shares of the demand of all, and
    the largest where a sum would mean nothing."""
    each = [
        {(one["family"], one["setting"]): one for one in document["contenders"]} for document in documents
    ]
    shared = [name for name in each[0] if all(name in one for one in each)] if each else []
    return [_sum([one[name] for one in each]) for name in shared]


def _sum(same: Sequence[Document]) -> Document:
    weights = [one["demand_hours"] for one in same]
    return {
        "family": same[0]["family"],
        "setting": same[0]["setting"],
        **{key: sum(one[key] for one in same) for key in _SUMMED},
        **{
            key: sum(w * one[key] for w, one in zip(weights, same, strict=True)) / sum(weights)
            for key in _OF_DEMAND
        },
        **{key: max(one[key] for one in same) for key in _LARGEST},
    }
