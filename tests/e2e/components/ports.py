"""Free ports of 127.0.0.1."""

import random
import socket

BELOW_EPHEMERAL = range(20_000, 32_000)
"""A port that the kernel gives to nobody's outgoing connection between our look and the component's bind."""


def free_ports(count: int) -> list[int]:
    """Distinct ports that nobody listens on."""
    candidates = random.sample(BELOW_EPHEMERAL, len(BELOW_EPHEMERAL))
    free = (port for port in candidates if _is_free(port))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
