"""The names of kinds in paths, as the cluster's discovery tells them."""

from collections.abc import Mapping
from typing import Any, Protocol

from cme.core.clock import Clock
from cme.core.durations import MINUTE_MS
from cme.core.errors import KubeFailed

ASKED_AGAIN_MS = MINUTE_MS
"""A group that lacks a kind, or did not answer, is asked again after so long: its definition may be installed later."""

Json = Mapping[str, Any]


class Cluster(Protocol):
    def get(self, path: str) -> Json:
        """The JSON at a path of the API server. Raises KubeFailed."""


class Resources:
    """What can be scaled: plurals by group, version and kind. What was found stays, for a plural never changes."""

    def __init__(self, cluster: Cluster, clock: Clock) -> None:
        self._cluster, self._clock = cluster, clock
        self._plurals: dict[tuple[str, str], str] = {}
        self._failed: dict[tuple[str, str], tuple[KubeFailed, int]] = {}

    def plural(self, api_version: str, kind: str) -> str:
        """`deployments` of `apps/v1` and `Deployment`. Raises KubeFailed where the cluster has no such kind that can be
        scaled, or does not answer."""
        wanted = api_version, kind
        if wanted not in self._plurals:
            self._find(wanted)
        return self._plurals[wanted]

    def _find(self, wanted: tuple[str, str]) -> None:
        error, since_ms = self._failed.get(wanted, (None, 0))
        if error is not None and self._clock.monotonic_ms() - since_ms < ASKED_AGAIN_MS:
            raise error
        try:
            self._plurals[wanted] = _plural(self._cluster.get(root_of(wanted[0])), *wanted)
        except KubeFailed as failure:
            self._failed[wanted] = failure, self._clock.monotonic_ms()
            raise
        self._failed.pop(wanted, None)


def root_of(api_version: str) -> str:
    """The path of a group and version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _plural(listed: Json, api_version: str, kind: str) -> str:
    """From an APIResourceList: the subresource `scale` is that of the resource before the slash."""
    resources = listed.get("resources") or ()
    names = {str(one["name"]) for one in resources}
    plurals = [str(one["name"]) for one in resources if one.get("kind") == kind and "/" not in one["name"]]
    if not plurals:
        raise KubeFailed(f"the cluster has no {kind} in {api_version}")
    if f"{plurals[0]}/scale" not in names:
        raise KubeFailed(f"{kind} of {api_version} has no scale subresource")
    return plurals[0]
