"""KWOK: nodes without machines, whose pods run and are ready at once."""

import shutil
from pathlib import Path

from tests.e2e.components.cache import cached
from tests.e2e.components.golang import KWOK, module_folder
from tests.e2e.components.kube import Json

STAGES = (
    "node/fast/node-initialize.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)


def arguments(kubeconfig: Path, address: str) -> list[str]:
    folder = stages()
    return [
        f"--kubeconfig={kubeconfig}",
        "--manage-all-nodes=true",
        # Without leases the node-lifecycle controller calls a node unready after 40 s, and its pods too.
        "--node-lease-duration-seconds=40",
        "--cidr=10.1.0.0/16",
        "--node-ip=10.0.0.1",
        f"--server-address={address}",
        *(f"--config={folder / Path(stage).name}" for stage in STAGES),
    ]


def node(name: str) -> Json:
    """A node with room for every pod of the tests."""
    room = {"cpu": "64", "memory": "256Gi", "pods": "500"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux", "kubernetes.io/hostname": name}},
        "status": {"allocatable": room, "capacity": room},
    }


def is_ready(one: Json) -> bool:
    """Ready, and without the taint that a new node starts with."""
    conditions = one.get("status", {}).get("conditions") or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not one["spec"].get("taints")


def stages() -> Path:
    """What KWOK does to nodes and pods, copied from its own sources."""
    return cached("kwok-stages", [KWOK.version.encode(), "".join(STAGES).encode()], _copy_stages)


def _copy_stages(out: Path) -> None:
    source = module_folder(KWOK.folder, KWOK.module) / "kustomize" / "stage"
    for stage in STAGES:
        shutil.copyfile(source / stage, out / Path(stage).name)
