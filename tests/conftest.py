"""A test asserts behavior, never time: on a busy machine any example may take long. And the real components that tests outside of
`e2e` need, too."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.e2e.components.build import build
from tests.e2e.components.kafka import Kafka
from tests.e2e.components.tools import NEEDED
from tests.machine import require

settings.register_profile("tidecast", deadline=None)
settings.load_profile("tidecast")


@pytest.fixture(scope="session")
def machine() -> None:
    """What the machine must have; then everything is built, so that no test's bound covers a build."""
    require(*NEEDED)
    build()


@pytest.fixture(scope="session")
def kafka(machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker
