import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.pods import PodList, split
from cme.collector.replicas import pods_text
from cme.core.batch import Batch, Column, series_ids
from tests.unit.adapter.stage import pod


def told(*pods: dict[str, object]) -> PodList:
    columns: dict[str, Column] = {"wanted": np.array([2.0]), "pods": (pods_text(pods),)}
    return PodList.of(Batch("replicas", 5, series_ids([1]), columns), born=7)


def test_it_reads_what_the_collector_writes() -> None:
    pods = told(pod("web-2", {"app": "web"}), pod("web-1", {"app": "web", "canary": "yes"}))
    assert list(pods.names) == ["web-1", "web-2"]
    assert pods.labels == {"web-1": {"app": "web", "canary": "yes"}, "web-2": {"app": "web"}}
    assert (pods.wanted, pods.born) == (2.0, 7)


def test_only_pods_that_take_load_are_there() -> None:
    ending = pod("web-ending")
    ending["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
    pods = told(pod("web-1"), pod("web-starting", ready="False"), ending)
    assert list(pods.names) == ["web-1"]


def test_none_is_an_answer() -> None:
    assert list(told().names) == []


def test_what_does_not_divide_goes_to_the_first_names() -> None:
    assert split(1_001, ["a", "b", "c"]) == {"a": 334, "b": 334, "c": 333}


@given(milli=st.integers(0, 2**63 - 1), count=st.integers(1, 50))
def test_shares_sum_up_exactly_and_differ_by_at_most_one(milli: int, count: int) -> None:
    shares = split(milli, [f"web-{n}" for n in range(count)])
    assert sum(shares.values()) == milli
    assert max(shares.values()) - min(shares.values()) <= 1
    assert len(shares) == count


@pytest.mark.parametrize("milli", [0, 5_000])
def test_of_a_single_pod_the_share_is_the_whole(milli: int) -> None:
    assert split(milli, ["web-1"]) == {"web-1": milli}


def test_no_pod_has_no_share() -> None:
    assert split(5_000, []) == {}
