"""Makes the cluster's topics, and refuses those that are there with other partitions than the settings say."""

from kafka.errors import TopicAlreadyExistsError

from cme.core.settings import KafkaLink
from cme.kafka import Admin
from cme.log.kafka import connection
from cme.log.kafka.layout import all_topics
from cme.log.protocol import LogFailed


def establish(link: KafkaLink) -> None:
    """Create the topics that are missing, each with its configuration. Raises LogFailed."""
    wanted = all_topics(link.prefix, link.replication)
    with connection.told_clearly(link, "can't be set up"):
        client = connection.admin(link)
        try:
            there = set(client.list_topics())
            _create(client, link, {name: config for name, config in wanted.items() if name not in there})
            partitions = {one["name"]: len(one["partitions"]) for one in client.describe_topics(list(wanted))}
        finally:
            client.close()
    for name, count in partitions.items():
        if count != link.partitions:
            raise LogFailed(
                f"kafka at {link.address}: {name} has {count} partitions, log.kafka.partitions says {link.partitions}; "
                "say what it has, or choose another log.kafka.prefix: a workload can't change its partition"
            )


def _create(client: Admin, link: KafkaLink, topics: dict[str, dict[str, str]]) -> None:
    """Whoever starts at the same time may be quicker."""
    if not topics:
        return
    shape = {"num_partitions": link.partitions, "replication_factor": link.replication}
    response = client.create_topics(
        {name: {**shape, "configs": config} for name, config in topics.items()}, raise_errors=False
    )
    for topic in response["topics"]:
        if topic["error_code"] not in (0, TopicAlreadyExistsError.errno):
            raise LogFailed(
                f"kafka at {link.address}: {topic['name']} can't be created: {topic['error_message']}"
            )
    client.wait_for_topics(list(topics))
