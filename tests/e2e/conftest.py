"""Real components as fixtures, each started once for all tests that ask for it."""

from collections.abc import Iterator

import pytest

from tests.e2e import summary
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.monitored import Monitored, monitored_nginx


@pytest.fixture(scope="session")
def control_plane(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def web(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with monitored_nginx(tmp_path_factory.mktemp("web")) as monitored:
        yield monitored


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("end-to-end")
    for line in summary.lines():
        terminalreporter.write_line(line)
