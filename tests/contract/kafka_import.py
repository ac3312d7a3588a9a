"""The kafka source and the client's errors, for tests: kafka-python warns while it is imported."""

import warnings

with warnings.catch_warnings():
    # It reads its schemas with calls of importlib.resources that Python 3.11 deprecates (3.13 no longer does).
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka.errors import KafkaConnectionError

    from cme.sources import kafka

__all__ = ["KafkaConnectionError", "kafka"]
