"""The cluster's topics follow from the table of topics."""

from cme.core.durations import DAY_MS, HOUR_MS
from cme.log.kafka.layout import all_topics, copy_of, name_of
from cme.log.topics import TOPICS

CONFIGS = all_topics("tidecast", 3)


def test_each_topic_has_one_and_those_with_history_a_copy() -> None:
    expected = {f"tidecast.{name}" for name in TOPICS}
    assert CONFIGS.keys() == expected | {"tidecast.policies-newest", "tidecast.replicas-newest"}


def test_the_newest_of_each_key_are_found_where_nothing_else_is_kept() -> None:
    assert copy_of("x", "series") == name_of("x", "series") == "x.series"
    assert copy_of("x", "policies") == "x.policies-newest"


def test_what_is_kept_for_a_time_goes_by_segments_that_are_shorter() -> None:
    for name, topic in TOPICS.items():
        config = CONFIGS[f"tidecast.{name}"]
        if topic.keep_newest:
            assert (config["cleanup.policy"], config["min.compaction.lag.ms"]) == (
                "compact",
                str(topic.keep_ms),
            )
        else:
            assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", str(topic.keep_ms))
            assert HOUR_MS <= int(config["segment.ms"]) <= min(topic.keep_ms / 4, 7 * DAY_MS)


def test_a_sample_is_acknowledged_by_more_than_one_broker_where_there_are_more() -> None:
    assert {config["min.insync.replicas"] for config in CONFIGS.values()} == {"2"}
    assert {config["min.insync.replicas"] for config in all_topics("x", 1).values()} == {"1"}
