from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cme.collector.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage(tmp_path, monkeypatch)
    yield stage
    stage.log.close()
