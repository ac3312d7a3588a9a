"""`tidecast test`: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import tidecast
from cme.core.errors import InvalidInput
from tests.unit.adapter.replay.scenario.text import SOUND


def run(*paths: Path) -> Result:
    return CliRunner().invoke(tidecast, ["test", *map(str, paths)], catch_exceptions=False)


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_what_is_as_expected(tmp_path: Path) -> None:
    file = written(tmp_path, "a.scenario", SOUND)
    done = run(file)
    assert done.exit_code == 0
    assert done.stdout == (
        f"{file}: ok: 1 of 1 expectations are met\n"
        "  1 h cost 10 replica-hours, 0.0 % (0.0 replicas) less than the peak's 10 replicas all the time; "
        "short 0.000 % (0.0 minutes), over 0.0 %, longest wait 0.0 s, 0 changes, 0 flaps\n"
    )
    assert run(file).stdout == done.stdout


def test_the_report_has_each_scenario_beside_what_else_could_be_done(tmp_path: Path) -> None:
    files = [written(tmp_path, f"{name}.scenario", SOUND + "pods have 4 cores\n") for name in ("a", "b")]
    report = tmp_path / "report.html"
    done = CliRunner().invoke(tidecast, ["test", *map(str, files), "--report", str(report)])
    assert done.exit_code == 0
    assert done.stdout.endswith(f"report: {report}\n")
    data = json.loads(report.read_text().split('id="data">')[1].split("</script>")[0])
    assert [one["workload"] for one in data["workloads"]] == ["a", "b"]
    for one in data["workloads"]:
        assert [c["family"] for c in one["contenders"]] == ["tidecast", "HPA 300 s", "static", "hindsight"]
        assert {c["family"]: c["cores_saved"] for c in one["contenders"]}["static"] == 0


def test_what_is_not(tmp_path: Path) -> None:
    text = SOUND + "from 09:40 to 09:50 qps is 2000\nfrom 09:30 to 09:50 expect at most 15 replicas\n"
    file = written(tmp_path, "a.scenario", text + "in total expect at least 90 % saved\n")
    done = run(file)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{file}: FAILED: 1 of 3 expectations are met"
    number = SOUND.count("\n") + 2
    assert lines[2:9] == [
        f"  {file}:{number}: from 09:30 to 09:50 expect at most 15 replicas",
        "    found 20 replicas because raw, backlog, forecast_missing, limit_floor at 2026-03-02 09:40:30+01:00",
        "    - the measured value is the largest need",
        "    - what empties the backlog within drain.within while what is forecast arrives",
        "    - there is no forecast yet; the measured value stands alone",
        "    - raised to limits.minReplicas",
        "    HPA: a metric is above its target",
    ]
    table = [line.split() for line in lines[9:18]]
    assert table[0][:6] == ["time", "replicas", "ready", "served", "qps", "arrivals"]
    (marked,) = (row for row in table if row[0] == ">")
    assert marked[1:6] == ["2026-03-02", "09:40:30+01:00", "20", "10", "20"]
    assert lines[18:] == [
        f"  {file}:{number + 1}: in total expect at least 90 % saved",
        "    found 41.6667 % saved",
    ]


@pytest.mark.parametrize(
    "expectation",
    [
        "at 09:30 expect 11 replicas",
        "at 09:30 expect at most 9 ready pods",
        "at 09:30 expect at least 1 jobs",
        "at 09:30 expect 10 replicas because held",
        "at 09:30 expect 10 replicas because not raw",
        "from 09:00 to 10:00 expect 11 replicas",
        "in total expect at least 1 changes",
        "in total expect at most 9 replica-hours",
        "in total expect at least 0.1 % short",
        "in total expect at least 1 minutes short",
        "in total expect at least 1 seconds of wait",
        "in total expect at least 1 % over",
        "in total expect at least 1 flaps",
    ],
)
def test_each_expectation_can_fail(expectation: str, tmp_path: Path) -> None:
    done = run(written(tmp_path, "a.scenario", f"{SOUND}{expectation}\n"))
    assert done.exit_code == 1
    assert expectation in done.stdout


def test_folders_and_several_files_the_worst_of_which_counts(tmp_path: Path) -> None:
    (tmp_path / "within").mkdir()
    good = written(tmp_path / "within", "b.scenario", SOUND)
    written(tmp_path, "c.yaml", "left alone")
    failing = written(tmp_path, "a.scenario", SOUND + "at 09:30 expect 11 replicas\n")
    done = run(tmp_path)
    assert done.exit_code == 1
    heads = [line for line in done.stdout.splitlines() if line[0] != " "]
    assert [head.split(":")[0] for head in heads] == [str(failing), str(good)]
    broken = written(tmp_path, "broken", "at 09:30\nnothing\n")
    done = run(broken, good, failing)
    assert done.exit_code == 2
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [f"{broken}:1", f"{broken}:2"]
    assert f"{good}: ok" in done.stdout


def test_a_folder_without_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"it holds no \*\.scenario; name a file"):
        run(tmp_path)
