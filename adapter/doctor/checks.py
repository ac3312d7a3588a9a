"""All checks, in the order in which one would mend what they find."""

from collections.abc import Iterator

from adapter.doctor.access import check_access
from adapter.doctor.autoscalers import check_policies
from adapter.doctor.cluster import check_cluster
from adapter.doctor.facts import Asked, Facts, Finding
from adapter.doctor.registered import check_registration


def examine(asked: Asked, facts: Facts) -> Iterator[Finding]:
    """Everything that is to be said of a cluster that answers."""
    yield from check_cluster(facts)
    yield from check_access(facts)
    yield from check_registration(facts)
    yield from check_policies(asked, facts)
