"""What commands that ask a cluster have in common."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from adapter.configuration.load import read_configuration
from cme.core.errors import InvalidInput
from cme.core.settings import Configuration, Registration, Settings
from cme.kube import KubeClient


def read_for_cluster(config: Path, kubeconfig: Path | None) -> Configuration:
    """The file that `up` is given, with another way to the cluster if one is given. Raises InvalidInput."""
    flags = {"kubernetes": {"kubeconfig": str(kubeconfig)}} if kubeconfig else {}
    return read_configuration(config, flags)


def registration_of(settings: Settings) -> Registration:
    """Raises InvalidInput when there is none."""
    if settings.registration is None:
        raise InvalidInput("there is no registration", "settings", "add registration: {}")
    return settings.registration


@contextlib.contextmanager
def connected(settings: Settings) -> Iterator[KubeClient]:
    """Raises KubeFailed; InvalidInput when the settings name no cluster."""
    if settings.kubernetes is None:
        raise InvalidInput("no cluster is named", "settings", "add kubernetes: {}, or use --kubeconfig")
    with contextlib.closing(KubeClient(settings.kubernetes)) as client:
        yield client
