"""A server on this host as an extension of the API, behind the aggregator."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.e2e.components.kube import Json


def behind_a_service(
    namespace: str, service: str, port: int, authority: Path, versions: Sequence[str]
) -> Iterator[Json]:
    """What the server at `port` is registered with, as `GROUP/VERSION`; its certificate is for SERVICE.NAMESPACE.svc."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service, "namespace": namespace},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    for served in versions:
        group, version = served.split("/")
        yield {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{group}"},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "service": {"namespace": namespace, "name": service, "port": port},
                "caBundle": base64.b64encode(authority.read_bytes()).decode(),
            },
        }
