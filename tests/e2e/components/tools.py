"""Which programs the machine itself must have; everything else is built."""

import shutil

NEEDED = (
    "go",
    "java",
    "mvn",
    "nginx",
    "prometheus",
    "prometheus-nginx-exporter",
    "prometheus-node-exporter",
)


def missing() -> list[str]:
    return [name for name in NEEDED if shutil.which(name) is None]
