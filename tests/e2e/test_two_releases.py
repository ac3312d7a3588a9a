"""Two releases at once: one role is of the commit before this one, the others are of this."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contract.kafka_log import link_to
from tests.e2e.components.kafka import Kafka
from tests.e2e.kafka_site import KafkaSite
from tests.e2e.test_kafka_roles import NAMES, all_are_numbers
from tests.run.program import Program

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the commit before."""
    folder = tmp_path_factory.mktemp("previous")
    archive = folder / "previous.tar"
    subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(archive), "HEAD~1"], check=True)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)
    where = [sys.executable, "-c", "import adapter; print(adapter.__file__)"]
    found = subprocess.run(where, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(folder)
    return folder


@pytest.mark.parametrize(
    "old", [("collector",), ("predictor",), ("adapter",), ("collector", "predictor")], ids="+".join
)
def test_they_understand_each_other(kafka: Kafka, tmp_path: Path, previous: Path, old: Sequence[str]) -> None:
    link = link_to(kafka.address, tmp_path).model_copy(update={"partitions": 2})
    site = KafkaSite(tmp_path, link, NAMES)
    trees = {role: previous if role in old else None for role in ("collector", "predictor", "adapter")}
    with (
        site.collector(tree=trees["collector"]),
        site.predictor(tree=trees["predictor"]),
        site.adapter(tree=trees["adapter"]) as adapter,
    ):
        adapter.wait_for(lambda: all_are_numbers(adapter))


@pytest.mark.parametrize("old", ["collector", "predictor"])
def test_a_role_that_is_exchanged_goes_on_where_the_other_release_was(
    kafka: Kafka, tmp_path: Path, previous: Path, old: str
) -> None:
    """Up and back: an upgrade that is taken back must not need a new log."""
    link = link_to(kafka.address, tmp_path).model_copy(update={"partitions": 2})
    site = KafkaSite(tmp_path, link, NAMES)
    exchanged, other = (
        (site.collector, site.predictor) if old == "collector" else (site.predictor, site.collector)
    )
    with other(), site.adapter() as adapter:
        for tree in (previous, None, previous):
            with exchanged(tree=tree) as role:
                decides_anew(site, role)
                assert all_are_numbers(adapter)
                assert role.stop() == 0


def decides_anew(site: KafkaSite, role: Program) -> None:
    """Wait until each partition's newest decision rests on samples that were taken since."""
    begun_ms = time.time() * 1000
    role.wait_for(lambda: min(site.rests_on(partition) for partition in range(2)) > begun_ms)
