"""Problems of files, told with their places."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import tidecast
from adapter.configuration.check import check
from adapter.configuration.load import read_configuration
from cme.core.errors import InvalidInput

WEB = """\
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web, namespace: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  signals:
    - name: qps
      source: {prometheus: {connection: main, query: up}}
      perReplica: 4
"""
JOBS = WEB.replace("web", "jobs")
SETTINGS = """\
kind: Settings
connections:
  main: {address: "http://prometheus:9090"}
"""


def problems(folder: Path, *texts: str) -> list[str]:
    """Of files a.yaml, b.yaml, ..., told without the folder."""
    files = [folder / f"{name}.yaml" for name, _ in zip("abc", texts, strict=False)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return [str(problem).removeprefix(f"{folder}/") for problem in check(files).problems]


def run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner().invoke(tidecast, ["check", *arguments], input=given)


LAUGHS = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("tick: " + "[" * 65 + "]" * 65, 1, "it is nested more than 64 deep"),
        ("- " * 10_000, 1, "it is nested more than 64 deep"),
        (
            "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40,
            2,
            "nested more than 64 deep",
        ),
        (f"a0: &a0 [ha, ha]\n{LAUGHS}", 5, "its aliases stand for more than 10000 values"),
        ("tick: &a\n- *a", 2, "an alias stands within what it stands for"),
    ],
)
def test_a_file_without_end_is_refused(text: str, line: int, problem: str, tmp_path: Path) -> None:
    (told,) = problems(tmp_path, text)
    assert told.startswith(f"a.yaml:{line}: ")
    assert problem in told


def test_aliases_may_spare_lines(tmp_path: Path) -> None:
    text = WEB.replace("metadata: {name: web", "metadata: {name: &name web").replace(
        "name: web}", "name: *name}"
    )
    assert "*name" in text
    assert not problems(tmp_path, text)


def test_each_valid_document_gets_a_line(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text("---\n---\n".join((SETTINGS, WEB, JOBS)))
    done = run(str(file))
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{file}: document 1: Settings is valid",
        f"{file}: document 2: ScalingPolicy shop/web is valid",
        f"{file}: document 3: ScalingPolicy shop/jobs is valid",
    ]


def test_standard_input_is_a_file() -> None:
    done = run("-", given=WEB + "---\n" + JOBS.replace("perReplica", "perReplika"))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "<stdin>: document 1: ScalingPolicy shop/web is valid",
        "<stdin>:17: document 2: spec.signals.0.perReplica: it is missing; add it",
        "<stdin>:19: document 2: spec.signals.0.perReplika: there is no such field; check its spelling",
    ]


def test_what_can_t_be_read_is_no_problem_of_a_document(tmp_path: Path) -> None:
    done = run(str(tmp_path / "none.yaml"))
    assert isinstance(done.exception, InvalidInput)  # which `main` makes one line and code 2 of
    assert "none.yaml: No such file or directory; name another file" in str(done.exception)
    assert run().exit_code == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "kind: [\n",
            "a.yaml:2: while parsing a flow node: did not find expected node content",
        ),
        (WEB + "  holidays: [2026-02-30]\n", "a.yaml:1: day is out of range for month; correct the YAML"),
        (
            WEB.replace("  - name", "  - perReplica: 5\n      name"),
            "a.yaml:10: the key 'perReplica' stands twice; correct",
        ),
        (
            "kind: Settings\na: &a [*a]\n",
            "a.yaml:2: an alias stands within what it stands for; correct",
        ),
        ("# nothing\n", "a.yaml: it holds no document; write a ScalingPolicy or Settings"),
        ("- 1\n", "a.yaml:1: document 1: kind: unknown kind None; write ScalingPolicy or Settings"),
        (
            "a: 1\nkind: [x]\n",
            "a.yaml:2: document 1: kind: unknown kind ['x']; write ScalingPolicy or Settings",
        ),
        ("kind: Settings\ntick: 5\n", "a.yaml:2: document 1: tick: 5 is not a duration"),
        (WEB.replace("4\n", "-4\n"), "a.yaml:9: document 1: spec.signals.0.perReplica: must be more than 0"),
        (
            WEB.replace("prometheus:", "promethius:"),
            "a.yaml:8: document 1: spec.signals.0.source.promethius: there is no source 'promethius'; use one of",
        ),
        (
            WEB.replace("query: up", "expr: up"),
            "a.yaml:8: document 1: spec.signals.0.source.prometheus.query: it is missing; add it",
        ),
        (
            WEB + "---\n" + SETTINGS.replace("main", "other"),
            "a.yaml:8: document 1: spec.signals.0.source.prometheus: there is no connection 'main'; "
            "the settings have: other",
        ),
        (SETTINGS + "---\n" + SETTINGS, "a.yaml:5: document 2: kind: a second Settings document; keep one"),
        (
            SETTINGS + "---\nmetadata: {}\n" + WEB.replace("metadata: {name: web, namespace: shop}\n", ""),
            "a.yaml:5: document 2: metadata.name: it is missing; add it",
        ),
    ],
)
def test_a_problem_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text)[0].startswith(told)


def test_every_problem_is_told(tmp_path: Path) -> None:
    text = WEB.replace("perReplica: 4", "perReplica: x\n      a: 1\n      b: 2\n      c: 3\n      d: 4")
    assert [line.split(": ")[2] for line in problems(tmp_path, text)] == [
        f"spec.signals.0.{name}" for name in ("perReplica", "a", "b", "c", "d")
    ]


def test_files_are_one_configuration(tmp_path: Path) -> None:
    other = WEB.replace("{name: web, namespace: shop}", "{name: other, namespace: shop}")
    assert problems(tmp_path, WEB, other) == [
        f"b.yaml:3: document 1: metadata.name: the target shop/Deployment.apps/web is that of {tmp_path}/a.yaml, "
        "document 1, too; keep one policy per workload"
    ]


def test_a_policy_alone_may_name_any_connection(tmp_path: Path) -> None:
    assert problems(tmp_path, WEB) == []


def test_bytes_that_are_no_text_are_refused() -> None:
    assert "it is not text in UTF-8" in str(run("-", given=b"\xff").exception)


def test_a_start_names_the_line_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("kind: Settings\ntick: [\n")
    with pytest.raises(InvalidInput, match=r"a\.yaml, line 3: while parsing"):
        read_configuration(file, {})


SCRAPED = WEB.replace(
    "prometheus: {connection: main, query: up}", 'scrape: {targets: ["http://web/m"], metric: up}'
)
ZERO = "  limits: {minReplicas: 0}\n"


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        (SCRAPED + ZERO, True),
        (SCRAPED, False),
        (SCRAPED + ZERO.replace("0", "1"), False),
        (WEB + ZERO, False),
    ],
)
def test_who_may_sleep_and_has_scraped_signals_alone_gets_a_note(text: str, noted: bool) -> None:
    done = run("-", given=text)
    assert done.exit_code == 0
    valid, *notes = done.stdout.splitlines()
    assert valid.endswith("is valid")
    assert [note.partition("; ")[0] for note in notes] == noted * [
        "<stdin>:10: document 1: spec.limits.minReplicas: note: if the scraped targets are the workload's own pods, "
        "there is no signal at 0 replicas and nothing scales it up again"
    ]
