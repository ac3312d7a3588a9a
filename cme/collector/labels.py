"""The labels of the workloads themselves, as the cluster's lists tell them."""

import json
import logging
from collections.abc import Mapping
from typing import NamedTuple

from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.errors import KubeFailed
from cme.core.readings import REPLICAS_STALE_MS
from cme.runtime.reflector import Lists, Pages

log = logging.getLogger("tidecast.collector")

LISTED_MS = MINUTE_MS
"""A collection is listed so often at most, whether the list succeeds or fails: labels change rarely."""


class Listed(NamedTuple):
    """By name the labels as JSON, and the monotonic time when the cluster told them."""

    labels: Mapping[str, str]
    told_ms: int


class Labels:
    """Of all workloads of a kind in a namespace at once: one list a minute costs the API server less than a request for each."""

    def __init__(self, metadata: Lists, clock: Clock) -> None:
        """`metadata` answers with the metadata of objects alone."""
        self._metadata, self._clock = metadata, clock
        self._listed: dict[str, Listed] = {}
        self._asked_ms: dict[str, int] = {}
        self._problems: dict[str, str] = {}

    def of(self, collection: str, name: str) -> str | None:
        """A workload's labels as JSON, `{}` where it has none; None while they are not known: it is younger than the list, or
        the cluster has not told the list for so long that what runs would not be known either. `collection` is a path.
        """
        now = self._clock.monotonic_ms()
        if now - self._asked_ms.get(collection, -LISTED_MS) >= LISTED_MS:
            self._asked_ms[collection] = now
            self._list(collection, now)
        listed = self._listed.get(collection)
        if listed is None or now - listed.told_ms > REPLICAS_STALE_MS:
            return None
        return listed.labels.get(name)

    def _list(self, collection: str, now: int) -> None:
        """A failure is logged when it begins, and hides nothing but labels."""
        try:
            found = {
                str(one["metadata"]["name"]): json.dumps(one["metadata"].get("labels") or {}, sort_keys=True)
                for one in Pages(self._metadata, f"{collection}?")
            }
        except KubeFailed as error:
            if self._problems.get(collection) != str(error):
                log.warning("the labels of workloads are not known: %s", error)
            self._problems[collection] = str(error)
            return
        self._problems.pop(collection, None)
        self._listed[collection] = Listed(found, now)
