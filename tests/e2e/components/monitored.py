"""nginx, watched by Prometheus through its exporter, and this machine through the node exporter."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.components.nginx import Nginx
from tests.e2e.components.prometheus import Prometheus, nginx_exporter, node_exporter


class Monitored(NamedTuple):
    nginx: Nginx
    prometheus: Prometheus


@contextmanager
def monitored_nginx(folder: Path) -> Iterator[Monitored]:
    """Raises ComponentFailed."""
    with ExitStack() as stack:
        nginx = stack.enter_context(Nginx(folder))
        counters = stack.enter_context(nginx_exporter(folder, nginx.status_url))
        machine = stack.enter_context(node_exporter(folder))
        targets = {"nginx": counters.target, "node": machine.target}
        yield Monitored(nginx, stack.enter_context(Prometheus(folder, targets)))
