"""`tidecast advise` on a tide of days and nights."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.run.program import command
from tests.run.test_replay import POLICY

DAYS = 12


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From 60 by night to 2500 by day, in steps of five minutes."""
    path = tmp_path_factory.mktemp("advise") / "web.csv.gz"
    minutes = np.arange(0, DAYS * 1440, 5)
    by_day = (minutes % 1440 >= 8 * 60) & (minutes % 1440 < 20 * 60)
    with gzip.open(path, "wt") as file:
        rows = (f"{n * 60},{load}\n" for n, load in zip(minutes, np.where(by_day, 2500, 60), strict=True))
        file.writelines(["timestamp,value\n", *rows])
    return path


@pytest.mark.slow
def test_a_policy_is_proposed_and_the_night_is_found(trace: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    past = ["--trace", f"qps={trace}", "--config", str(tmp_path / "policy.yaml")]
    done = command("advise", "shop/web", *past, "--cores", "10", "--short", "1", seconds=540)
    assert done.returncode == 0, done.stderr
    assert "+++ proposed" in done.stdout
    assert 'off-peak: start "0 20 * * *", duration 12h, timeZone UTC: 2,440 cores' in done.stdout


def test_a_workload_without_a_policy_is_told(trace: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    past = ["--trace", f"qps={trace}", "--config", str(tmp_path / "policy.yaml")]
    done = command("advise", "shop/wbe", *past)
    assert done.returncode == 2
    assert "shop/wbe: it has no policy; there are: shop/web" in done.stderr


def test_of_two_workloads_of_one_name_none_is_taken_silently(tmp_path: Path) -> None:
    other = POLICY.replace("kind: Deployment", "kind: StatefulSet").replace(
        "{name: web, namespace", "{name: db, namespace"
    )
    (tmp_path / "policy.yaml").write_text(f"{POLICY}---{other}")
    done = command("advise", "shop/web", "--config", str(tmp_path / "policy.yaml"))
    assert done.returncode == 2
    assert "shop/Deployment.apps/web, shop/StatefulSet.apps/web" in done.stderr
