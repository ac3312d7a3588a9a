"""The log that settings name, to be read."""

from cme.core.settings import Settings
from cme.log.embedded import EmbeddedLog
from cme.log.follower import FollowedLog
from cme.log.protocol import Log


def reading(settings: Settings) -> Log:
    """Raises LogFailed."""
    if settings.log:
        from cme.log.kafka.log import KafkaLog  # loaded by those alone who need it

        link = settings.log.kafka
        return KafkaLog(link, range(link.partitions))
    if settings.follow_log:
        return FollowedLog(settings.follow_log)
    return EmbeddedLog.open(settings.data, writable=False)
