"""The log on a real broker; each folder of a test's stands for topics of its own."""

import warnings
from hashlib import blake2b
from pathlib import Path

from cme.core.settings import KafkaLink
from cme.log.protocol import Log
from tests.contract.log_laws import Implementation

with warnings.catch_warnings():
    # kafka-python reads its schemas with calls of importlib.resources that Python 3.11 deprecates (3.13 no longer does).
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from cme.log.kafka.creation import establish
    from cme.log.kafka.log import KafkaLog
    from cme.log.kafka.membership import Membership

__all__ = ["KafkaLog", "Membership", "establish", "link_to", "on_kafka"]


def link_to(address: str, folder: Path) -> KafkaLink:
    prefix = blake2b(str(folder).encode(), digest_size=8).hexdigest()
    return KafkaLink(address=address, prefix=prefix, partitions=1, replication=1)


def on_kafka(address: str) -> Implementation:
    """Of the broker at an address."""

    def writer(folder: Path) -> Log:
        establish(link := link_to(address, folder))
        return KafkaLog(link, [0], "writer")

    return Implementation(
        "kafka", writer, lambda folder: KafkaLog(link_to(address, folder), [0]), removes=False
    )
