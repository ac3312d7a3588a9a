"""Floods of reviews: who causes them waits for himself."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from adapter.access.authorize import ACCESS_REVIEWS
from adapter.access.lanes import AT_ONCE, WAITING, Lanes
from cme.core.errors import KubeFailed
from tests.unit.adapter.access.cluster import HPA


class Busy:
    """A cluster that answers about nobody but the HPA until it is let go on."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()

    def get(self, path: str) -> Mapping[str, Any]:
        raise NotImplementedError

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if body["spec"].get("user") != HPA:
            assert self.may_answer.wait(60)
        return body


@pytest.mark.parametrize("spec", [{"user": "system:anonymous"}, {"token": "forged"}])
async def test_a_flood_holds_up_nobody_else(spec: dict[str, str]) -> None:
    cluster = Busy()
    lanes = Lanes(cluster)
    flood = [asyncio.create_task(lanes.post(ACCESS_REVIEWS, {"spec": spec})) for _ in range(500)]
    answer = await lanes.post(ACCESS_REVIEWS, {"spec": {"user": HPA}})
    assert answer["spec"]["user"] == HPA
    assert sum(task.done() for task in flood) == 500 - AT_ONCE - WAITING
    cluster.may_answer.set()
    results = await asyncio.gather(*flood, return_exceptions=True)
    refused = [one for one in results if isinstance(one, KubeFailed)]
    assert len(refused) == 500 - AT_ONCE - WAITING
    assert "too many reviews" in str(refused[0])


async def test_a_lane_is_forgotten_with_its_last_review() -> None:
    lanes = Lanes(Busy())
    for number in range(100):
        await lanes.post(ACCESS_REVIEWS, {"spec": {"user": HPA, "number": number}})
    assert not lanes._lanes
