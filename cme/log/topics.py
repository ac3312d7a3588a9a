"""The topics of the log and how long each keeps what."""

from collections.abc import Sequence
from dataclasses import dataclass

from cme.core.durations import DAY_MS, HOUR_MS


@dataclass(frozen=True, slots=True)
class Topic:
    """`keep_newest` records of every key stay for ever; others go when older than `keep_ms`. `packed`: it is large, kept for long
    and seldom read, so that it is worth the time."""

    id: int  # on disk; never reused
    keep_ms: int
    keep_newest: int = 0
    packed: bool = False


TOPICS = {
    "series": Topic(1, 0, keep_newest=1),
    "policies": Topic(2, 35 * DAY_MS, keep_newest=1),
    "replicas": Topic(3, 35 * DAY_MS, keep_newest=1),
    "samples": Topic(4, 6 * HOUR_MS),
    "minutes": Topic(5, 35 * DAY_MS),
    "hours": Topic(6, 400 * DAY_MS),
    "forecasts": Topic(7, 0, keep_newest=1),
    "forecast_history": Topic(8, 35 * DAY_MS),
    "decisions": Topic(9, 35 * DAY_MS, packed=True),
    "decompositions": Topic(10, 0, keep_newest=1),
    "trust": Topic(11, 0, keep_newest=1),
    "prior": Topic(12, 0, keep_newest=1),
    "state": Topic(13, 0, keep_newest=1),
}


def topic_of(name: str) -> Topic:
    """Raises ValueError for a name that is no topic's."""
    if name not in TOPICS:
        raise ValueError(f"there is no topic {name!r}; there are {', '.join(TOPICS)}")
    return TOPICS[name]


def known(names: Sequence[str]) -> Sequence[str]:
    """The same names. Raises ValueError for one that is no topic's."""
    for name in names:
        topic_of(name)
    return names


NAMES = {topic.id: name for name, topic in TOPICS.items()}
