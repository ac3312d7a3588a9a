"""The Go program that answers cases with upstream's own code, of the Kubernetes that all these tests run.

Go lays no file over a package in its module cache, so upstream's package is opened in a copy of the module.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.components.cache import cached
from tests.e2e.components.golang import MODULES, module_folder, run

NAME = "hpa-upstream"
SOURCES = Path(__file__).parent / "go"
PINNED = MODULES / "kubernetes"
OPENED = "pkg/controller/podautoscaler"
"""Where upstream's package gets the file overlay/opened.go."""

_BUILD = ["nice", "-n", "10", "go", "build", "-p", "2", "-mod=readonly", "-trimpath", "-ldflags=-s -w"]


def program() -> Path:
    """The executable, built unless it is there already. Raises ComponentFailed."""
    return cached(NAME, _inputs(), _build) / NAME


def _inputs() -> list[bytes]:
    files = [PINNED / "go.mod", PINNED / "go.sum", *sorted(SOURCES.rglob("*.go"))]
    return [*(file.read_bytes() for file in files), " ".join(_BUILD).encode()]


def _build(out: Path) -> None:
    upstream = module_folder("kubernetes", "k8s.io/kubernetes")
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        copy = here / "kubernetes"
        copy.mkdir()
        # Files of the module cache are read-only; the copy is not.
        run(
            ["cp", "-r", "--no-preserve=mode", str(upstream / "pkg"), str(upstream / "go.mod"), str(copy)],
            here,
        )
        shutil.copy(SOURCES / "overlay" / "opened.go", copy / OPENED)
        for file in SOURCES.glob("*.go"):
            shutil.copy(file, here)
        shutil.copy(PINNED / "go.sum", here)
        pinned = (PINNED / "go.mod").read_text()
        (here / "go.mod").write_text(f"{pinned}\nreplace k8s.io/kubernetes => ./kubernetes\n")
        run([*_BUILD, "-o", str(out / NAME), "."], here)


def ask(program: Path, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What upstream answers to each case."""
    lines = "\n".join(map(json.dumps, cases))
    done = subprocess.run([program], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(cases), f"{len(cases)} cases, {len(answers)} answers"
    return answers
