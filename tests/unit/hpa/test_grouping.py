from typing import Any

import pytest

from adapter.hpa.controller import Controller
from adapter.hpa.grouping import Groups, count_ready, group_pods
from adapter.hpa.observation import Sample
from tests.unit.hpa.given import NOW_MS, pod, pods, samples

CONTROLLER = Controller(cpu_initialization_ms=300_000, initial_readiness_ms=30_000)


def grouped(one: object, sample: Sample | None, resource: str = "cpu") -> str:
    """The group of a single pod."""
    found = group_pods(CONTROLLER, (one,), {"a": sample} if sample else {}, resource, NOW_MS)  # type: ignore[arg-type]
    groups = {
        "ready": found.ready,
        "unready": found.unready,
        "missing": found.missing,
        "ignored": found.ignored,
    }
    return next(name for name, content in groups.items() if content)


FRESH = Sample(1, NOW_MS, 60_000)


@pytest.mark.parametrize("sample", [FRESH, None])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"deleted": True}, "ignored"),
        ({"phase": "Failed"}, "ignored"),
        ({"phase": "Pending", "deleted": True}, "ignored"),
        ({"phase": "Pending"}, "unready"),
    ],
)
def test_phase_and_deletion_come_before_samples(
    fields: dict[str, Any], expected: str, sample: Sample | None
) -> None:
    assert grouped(pod("a", **fields), sample) == expected


def test_a_pod_without_sample_is_missing_even_if_unready() -> None:
    assert grouped(pod("a", ready="False"), None) == "missing"


@pytest.mark.parametrize("resource", ["memory", ""])
def test_only_cpu_asks_for_readiness(resource: str) -> None:
    assert grouped(pod("a", ready=None, start_ms=None), FRESH, resource) == "ready"
    assert grouped(pod("a", ready=None), FRESH) == "unready"
    assert grouped(pod("a", start_ms=None), FRESH) == "unready"


@pytest.mark.parametrize(("age_ms", "expected"), [(299_999, "unready"), (300_000, "ready")])
def test_a_ready_pod_counts_early_only_with_a_whole_window(age_ms: int, expected: str) -> None:
    young = pod("a", start_ms=NOW_MS - age_ms, transition_ms=NOW_MS - 60_000)
    assert grouped(young, Sample(1, NOW_MS - 1, 60_000)) == expected
    assert grouped(young, Sample(1, NOW_MS, 60_000)) == "ready"


@pytest.mark.parametrize(
    ("delay_ms", "expected"), [(29_999, "unready"), (30_000, "ready"), (90_000, "ready")]
)
def test_an_unready_pod_counts_later_only_if_it_was_ready_once(delay_ms: int, expected: str) -> None:
    start = NOW_MS - 600_000
    assert grouped(pod("a", ready="False", start_ms=start, transition_ms=start + delay_ms), FRESH) == expected


def test_unknown_readiness_counts_unless_the_pod_is_young() -> None:
    assert grouped(pod("a", ready="Unknown"), FRESH) == "ready"
    assert count_ready((pod("a", ready="Unknown"),)) == 0


def test_groups_keep_the_order_of_the_pods() -> None:
    seen = (*pods(3), pod("x", deleted=True), pod("y", phase="Failed"))
    found = group_pods(CONTROLLER, seen, samples(1, None, None), "", NOW_MS)
    assert found == Groups(1, (), ("pod-1", "pod-2"), ("x", "y"))


def test_ready_pods_are_running_and_ready_also_while_they_are_deleted() -> None:
    seen = (*pods(2), pod("x", phase="Pending"), pod("y", ready="False"), pod("z", deleted=True))
    assert count_ready(seen) == 3
