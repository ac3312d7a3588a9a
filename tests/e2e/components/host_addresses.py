"""Addresses that only this host reaches, and that Kubernetes takes for those of pods: it refuses 127.0.0.0/8 as endpoints."""

import contextlib
import ipaddress
import random
import subprocess
from collections.abc import Iterator

from tests.machine import lack, require

NETWORK = ipaddress.ip_network("198.18.0.0/15")
"""Set aside for tests of networks (RFC 2544): nobody's own, and not routed."""


@contextlib.contextmanager
def host_addresses(count: int) -> Iterator[list[str]]:
    """New ones of the loopback device, which are gone after the block. Skips the test where none may be added."""
    require("ip")
    picked = random.sample(range(1, NETWORK.num_addresses - 1), count)  # two runs at a time must not meet
    with contextlib.ExitStack() as added:
        addresses = [str(NETWORK[number]) for number in picked]
        for address in addresses:
            if refused := _ip("add", address):
                lack(f"this machine lets nobody add an address to its loopback device: {refused}")
            added.callback(_ip, "delete", address)
        yield addresses


def _ip(act: str, address: str) -> str:
    """Why it was refused, "" when it was not."""
    command = ["ip", "address", act, f"{address}/32", "dev", "lo"]
    return subprocess.run(command, capture_output=True, text=True, timeout=10).stderr.strip()
