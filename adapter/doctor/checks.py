"""All checks, in the order in which one would mend what they find."""

from collections.abc import Iterator

from adapter.doctor.access import check_access
from adapter.doctor.autoscalers import check_policies
from adapter.doctor.cluster import check_cluster
from adapter.doctor.facts import Asked, Facts, Finding
from adapter.doctor.registered import check_registration
from cme.core.errors import TidecastError


def examine(asked: Asked, facts: Facts) -> Iterator[Finding]:
    """Everything that is to be said. Of a cluster that does not answer that is one thing."""
    cluster = list(check_cluster(facts))
    if isinstance(facts.version, TidecastError):
        yield cluster[0]
        return
    yield from cluster
    yield from check_access(facts)
    yield from check_registration(facts)
    yield from check_policies(asked, facts)
