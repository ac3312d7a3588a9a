"""Names and settings of the cluster's topics.

A topic that keeps the newest of each key for ever and all for some time is compacted no earlier than that; a second one,
`-newest`, is compacted at once, so that the newest are found without reading all that time.
"""

from cme.core.durations import DAY_MS, HOUR_MS
from cme.log.topics import TOPICS, Topic

_NEVER_LATE_MS = 2**63 - 1
_COMPACTED_BYTES = 32 << 20
_SEGMENTS = 4
"""Segments of a retention: so much more than it is kept, as a broker removes whole segments."""


def has_copy(topic: Topic) -> bool:
    """Whether there is a `-newest` beside it."""
    return bool(topic.keep_newest and topic.keep_ms)


def name_of(prefix: str, topic: str) -> str:
    """`minutes` as the cluster knows it."""
    return f"{prefix}.{topic}"


def copy_of(prefix: str, topic: str) -> str:
    """Where the newest of each key are found: the topic itself, if it keeps nothing else."""
    name = name_of(prefix, topic)
    return f"{name}-newest" if has_copy(TOPICS[topic]) else name


def all_topics(prefix: str, replication: int) -> dict[str, dict[str, str]]:
    """Each of the cluster's topics with its configuration (https://kafka.apache.org/documentation/#topicconfigs)."""
    found = {name_of(prefix, name): _config(topic, replication) for name, topic in TOPICS.items()}
    copies = {name: topic for name, topic in TOPICS.items() if has_copy(topic)}
    return found | {copy_of(prefix, name): _compacted(0, replication) for name in copies}


def _config(topic: Topic, replication: int) -> dict[str, str]:
    if topic.keep_newest:
        return _compacted(topic.keep_ms, replication)
    return _common(replication) | {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.keep_ms),
        "segment.ms": str(max(HOUR_MS, min(topic.keep_ms // _SEGMENTS, 7 * DAY_MS))),
    }


def _compacted(keep_ms: int, replication: int) -> dict[str, str]:
    return _common(replication) | {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(keep_ms),
        "segment.ms": str(DAY_MS),
        # The newest segment is never compacted, and a start reads it whole.
        "segment.bytes": str(_COMPACTED_BYTES),
    }


def _common(replication: int) -> dict[str, str]:
    return {
        "min.insync.replicas": str(min(2, replication)),
        # A record's timestamp is its batch's time, which may be of a clock that is wrong.
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(_NEVER_LATE_MS),
        "message.timestamp.before.max.ms": str(_NEVER_LATE_MS),
    }
