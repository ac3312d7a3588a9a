"""Policies as people write them."""

from typing import Any

from cme.core.documents import parse_document
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings

SETTINGS = Settings()


def document(name: str, target: str = "", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    signal = {"name": "qps", "source": {"demo": {"load": "tide"}}, "perReplica": "4"}
    return {
        "apiVersion": "tidecast.dev/v1alpha1",
        "kind": "ScalingPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target or name},
            "signals": [signal],
            **spec,
        },
    }


def policy(name: str, target: str = "", namespace: str = "shop", **spec: Any) -> ScalingPolicy:
    return parse_document(ScalingPolicy, document(name, target, namespace, **spec), name)


def raw(name: str, age: int = 0, generation: int = 1, **more: Any) -> dict[str, Any]:
    """An object of the cluster, `age` minutes old."""
    written = document(name, **more)
    fields = {
        "uid": f"uid-{name}",
        "generation": generation,
        "creationTimestamp": f"2026-11-28T09:{59 - age:02d}:00Z",
        "resourceVersion": "7",
        "managedFields": [],
    }
    return written | {"metadata": written["metadata"] | fields}
