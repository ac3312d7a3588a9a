"""kafka-python for tests: it warns while it is imported."""

import warnings

with warnings.catch_warnings():
    # It reads its schemas with calls of importlib.resources that Python 3.11 deprecates (3.13 no longer does).
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType

__all__ = [
    "ConfigResource",
    "ConfigResourceType",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaProducer",
    "TopicPartition",
]
