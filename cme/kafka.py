"""The door to Kafka: kafka-python's clients, mended where they leave something open, and what their errors are.

A client that can't be made closes itself: kafka-python leaves a thread and its sockets each time.
"""

import contextlib
import logging
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaError

# What it tells at its own levels is of connections that come and go; what matters of it is told by who asks.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

ERRORS = (KafkaError, OSError, ValueError, AssertionError, LookupError, TypeError, AttributeError)
"""What a call may raise; what is made of an answer that kafka-python does not understand may be any of the last five."""


class Admin(KafkaAdminClient):  # type: ignore[misc]
    def __init__(self, **config: Any) -> None:
        """Raises KafkaError."""
        self._closed = False  # without it close() does nothing
        try:
            super().__init__(**config)
        except BaseException:
            with contextlib.suppress(AttributeError):  # it got less far than to what close() closes
                self.close()
            raise


class Consumer(KafkaConsumer):  # type: ignore[misc]
    def __init__(self, *topics: str, **config: Any) -> None:
        """Raises KafkaError."""
        try:
            super().__init__(*topics, **config)
        except BaseException:
            with contextlib.suppress(AttributeError):  # it got less far than to a client
                self._client.close()
            raise


def cause(error: Exception) -> str:
    """The kind of error only: kafka-python's texts hold ages and ids that change while the cause does not."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return type(error).__name__
