"""What the end of a test run says about real components."""

from collections.abc import Iterator

from tests.e2e.components import report
from tests.e2e.components.tools import missing


def lines() -> Iterator[str]:
    """Which ran, their versions and how long they took to start; what the machine lacks; what tests noted."""
    once = {one.name: one for one in reversed(report.STARTED)}
    ran = [f"{one.name} {one.version} ({one.seconds:.1f} s)" for one in reversed(once.values())]
    yield f"real components: {', '.join(ran) or 'none ran'}"
    yield f"missing: {', '.join(missing()) or 'none'}"
    yield from report.NOTES
