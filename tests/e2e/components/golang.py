"""Programs built from Go modules, whose versions and checksums are pinned in `go/`."""

import os
import re
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.components.cache import cached
from tests.e2e.components.failure import ComponentFailed

MODULES = Path(__file__).parent / "go"
BUILD_TIMEOUT_S = 1800


@dataclass(frozen=True)
class GoProgram:
    """`package` of the pinned module in the folder `go/FOLDER`; `module` is what its version is read from."""

    name: str
    folder: str
    package: str
    module: str
    version_variable: str = ""
    """Where the program keeps its version when its release build sets it with the linker."""

    @property
    def version(self) -> str:
        """As go.mod pins it."""
        text = (MODULES / self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise ComponentFailed(f"go/{self.folder}/go.mod does not require {self.module}")
        return found[1]

    def path(self) -> Path:
        """The executable, built unless it is there already. Raises ComponentFailed."""
        return cached(self.name, self._inputs(), self._build) / self.name

    def _inputs(self) -> list[bytes]:
        folder = MODULES / self.folder
        pinned = [(folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        return [*pinned, " ".join(self._command(Path())).encode()]

    def _command(self, out: Path) -> list[str]:
        variable = f" -X {self.version_variable}={self.version}" if self.version_variable else ""
        options = ["-mod=readonly", "-trimpath", f"-ldflags=-s -w{variable}"]
        return ["go", "build", *options, "-o", str(out / self.name), self.package]

    def _build(self, out: Path) -> None:
        run(["nice", "-n", "10", *self._command(out)], MODULES / self.folder)


def module_folder(folder: str, module: str) -> Path:
    """Where the module cache holds the sources of a pinned module, downloaded if need be."""
    run(["go", "mod", "download", module], MODULES / folder)
    return Path(
        run(["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module], MODULES / folder).strip()
    )


def run(command: list[str], folder: Path) -> str:
    """The output of a build step. Raises ComponentFailed with what it complained of."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
    )
    if done.returncode:
        raise ComponentFailed(f"{' '.join(command)} in {folder}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


KUBERNETES = partial(
    GoProgram,
    folder="kubernetes",
    module="k8s.io/kubernetes",
    version_variable="k8s.io/component-base/version.gitVersion",
)
ETCD = GoProgram("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3")
APISERVER = KUBERNETES(name="kube-apiserver", package="k8s.io/kubernetes/cmd/kube-apiserver")
CONTROLLERS = KUBERNETES(
    name="kube-controller-manager", package="k8s.io/kubernetes/cmd/kube-controller-manager"
)
SCHEDULER = KUBERNETES(name="kube-scheduler", package="k8s.io/kubernetes/cmd/kube-scheduler")
KUSTOMIZE = GoProgram(
    "kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "sigs.k8s.io/kustomize/kustomize/v5"
)
KWOK = GoProgram("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok")
TEST_ADAPTER = GoProgram(
    "test-adapter",
    "custom-metrics-apiserver",
    "sigs.k8s.io/custom-metrics-apiserver/test-adapter",
    "sigs.k8s.io/custom-metrics-apiserver",
)
PROGRAMS = (ETCD, APISERVER, CONTROLLERS, SCHEDULER, KUSTOMIZE, KWOK, TEST_ADAPTER)
