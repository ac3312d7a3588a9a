"""What the log on Kafka promises beyond the laws of every log (tests/contract/test_log.py), on a real broker."""

import gc
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cme.core.settings import KafkaLink, KafkaSasl, KafkaTls
from cme.log.protocol import LogFailed, LogFenced
from tests.contract.kafka_log import KafkaLog, Membership, establish, link_to
from tests.contract.log_laws import batch, numbers, read_all
from tests.e2e.components.kafka import PASSWORD, USER, Kafka
from tests.e2e.components.kafka_client import (
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    KafkaProducer,
)
from tests.e2e.components.waiting import until

pytestmark = [
    pytest.mark.e2e,
    # kafka-python leaves the sockets of connections that failed to the collector of garbage.
    pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning"),
]


@pytest.fixture
def link(kafka: Kafka, tmp_path: Path) -> Iterator[KafkaLink]:
    """Of topics of the test's own."""
    made = link_to(kafka.address, tmp_path).model_copy(update={"partitions": 4})
    establish(made)
    yield made
    gc.collect()


@pytest.fixture
def log(link: KafkaLink) -> Iterator[KafkaLog]:
    with closing(KafkaLog(link, [0], "writer")) as opened:
        yield opened


def test_the_newest_writer_of_a_name_puts_an_end_to_the_one_before(link: KafkaLink, log: KafkaLog) -> None:
    log.append([batch(1)])
    with closing(KafkaLog(link, [0], "writer")) as other:
        with pytest.raises(LogFenced, match="another process writes"):
            log.append([batch(2)])
        other.append([batch(3)])
        with pytest.raises(LogFailed):
            log.append([batch(4)])
        other.append([batch(5)])
        assert numbers(read_all(other, ["samples"])) == [1, 3, 5]


def test_who_has_been_replaced_does_not_come_back_whoever_holds_the_partition(link: KafkaLink) -> None:
    """What it knows is of before the other wrote: it is to be opened anew."""
    with (
        closing(KafkaLog(link, [0], "writer", lambda: True)) as one,
        closing(KafkaLog(link, [0], "writer", lambda: True)) as other,
    ):
        other.append([batch(1)])
        for _ in range(2):
            with pytest.raises(LogFenced):
                one.append([batch(2)])
        assert (one.fenced, other.fenced) == (True, False)
        with closing(KafkaLog(link, [0], "writer", lambda: True)) as again:
            again.append([batch(3)])
            assert numbers(read_all(again, ["samples"])) == [1, 3]


@pytest.mark.slow
def test_who_failed_begins_anew_only_while_it_holds_the_partition(kafka: Kafka, link: KafkaLink) -> None:
    holders = {"one", "other"}
    with (
        closing(KafkaLog(link, [0], "writer", lambda: "one" in holders)) as one,
        closing(KafkaLog(link, [1], "writer", lambda: "other" in holders)) as other,
    ):
        kafka.stop()
        for log in (one, other):
            with pytest.raises(LogFailed):
                log.append([batch(1)])
        kafka.start()
        holders.remove("other")
        until("it is written again", lambda: appended(one, 2), 30)
        with pytest.raises(LogFenced):
            other.append([batch(3)])
        assert (one.fenced, other.fenced) == (False, True)


def test_writers_of_two_names_and_two_partitions_do_not_meet(link: KafkaLink, log: KafkaLog) -> None:
    with closing(KafkaLog(link, [0], "other")) as beside, closing(KafkaLog(link, [1], "writer")) as elsewhere:
        log.append([batch(1)])
        beside.append([batch(2, "decisions")])
        elsewhere.append([batch(3)])
        log.append([batch(4)])
        assert numbers(read_all(log, ["samples", "decisions"])) == [1, 2, 4]
        assert numbers(read_all(elsewhere, ["samples", "decisions"])) == [3]
        with closing(KafkaLog(link, range(link.partitions))) as all_of_them:
            assert numbers(read_all(all_of_them, ["samples", "decisions"])) == [1, 2, 3, 4]
            beside.append([batch(5, "forecasts", "block-0")])
            assert [one.key for one in all_of_them.newest("forecasts")] == ["0/block-0"]
            position = all_of_them.position_at(["samples", "decisions"], batch(3).time_ms)
            assert numbers(read_all(all_of_them, ["samples", "decisions"], position)) == [3, 4]


def test_a_transaction_that_nobody_ends_holds_up_its_own_partition_only(
    link: KafkaLink, log: KafkaLog
) -> None:
    with closing(KafkaLog(link, [1], "writer")) as elsewhere, closing(KafkaLog(link, [0, 1])) as reader:
        elsewhere.append([batch(1)])
        left = KafkaProducer(
            bootstrap_servers=link.address, transactional_id="left", transaction_timeout_ms=60_000
        )
        left.init_transactions()
        left.begin_transaction()
        left.send(f"{link.prefix}.samples", b"", partition=1).get(timeout=10)
        elsewhere.append([batch(2, "minutes")])
        log.append([batch(3)])
        assert numbers(read_all(reader, ["samples", "minutes"])) == [3]
        left.abort_transaction()
        left.close()
        until("it is decided", lambda: numbers(read_all(reader, ["samples", "minutes"])) == [1, 2, 3], 30)


@pytest.mark.slow
def test_it_goes_on_when_the_broker_has_restarted(kafka: Kafka, link: KafkaLink, log: KafkaLog) -> None:
    with closing(KafkaLog(link, [0])) as reader:
        log.append([batch(1)])
        position = reader.read(["samples"], {}).position
        kafka.stop()
        with pytest.raises(LogFailed, match=f"kafka at {kafka.address}"):
            log.append([batch(2)])
        with pytest.raises(LogFailed, match=f"kafka at {kafka.address}"):
            reader.read(["samples"], position)
        kafka.start()
        until("it is written again", lambda: appended(log, 3), 30)
        assert numbers(read_all(log, ["samples"])) == [1, 3]
        assert numbers(read_all(reader, ["samples"], position)) == [3]


def appended(log: KafkaLog, number: int) -> bool:
    try:
        log.append([batch(number)])
    except LogFailed:
        return False
    return True


def test_what_none_of_ours_wrote_is_named_and_skipped(link: KafkaLink, log: KafkaLog) -> None:
    log.append([batch(1)])
    producer = KafkaProducer(bootstrap_servers=link.address)
    producer.send(f"{link.prefix}.samples", b"not a batch", partition=0).get(timeout=10)
    producer.close()
    log.append([batch(2)])
    chunk = log.read(["samples", "minutes"], {})
    assert numbers(chunk.batches) == [1, 2]
    (damage,) = chunk.damages
    assert f"{link.prefix}.samples, partition 0" in str(damage)


def test_topics_are_kept_as_the_table_says(link: KafkaLink) -> None:
    client = KafkaAdminClient(bootstrap_servers=link.address)
    names = [f"{link.prefix}.{name}" for name in ("samples", "policies", "policies-newest", "series")]
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = client.describe_configs(asked, config_filter="all")["topic"]
    client.close()
    day = 86_400_000
    assert {name: found[name]["cleanup.policy"]["value"] for name in names} == dict(
        zip(names, ["delete", "compact", "compact", "compact"], strict=True)
    )
    assert found[names[0]]["retention.ms"]["value"] == str(day // 4)
    lags = [found[name]["min.compaction.lag.ms"]["value"] for name in names[1:]]
    assert lags == [str(35 * day), "0", "0"]


def test_topics_of_another_number_of_partitions_are_refused(link: KafkaLink) -> None:
    with pytest.raises(LogFailed, match=r"has 4 partitions, log\.kafka\.partitions says 5"):
        establish(link.model_copy(update={"partitions": 5}))


def test_it_is_reached_with_tls_and_a_password_only(kafka: Kafka, link: KafkaLink, tmp_path: Path) -> None:
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text(f"{USER}\n")
    password.write_text(f"{PASSWORD}\n")
    sasl = KafkaSasl(mechanism="PLAIN", user_file=user, password_file=password)
    secured = link.model_copy(
        update={"address": kafka.secured_address, "tls": KafkaTls(ca_file=kafka.authority), "sasl": sasl}
    )
    with closing(KafkaLog(secured, [0], "writer")) as log:
        log.append([batch(1)])
        assert numbers(read_all(log, ["samples"])) == [1]
    password.write_text("another")
    with pytest.raises(LogFailed, match=r"with log\.kafka\.tls and log\.kafka\.sasl"):
        KafkaLog(secured, [0], "writer")


def test_members_share_the_partitions_and_take_over_from_one_that_leaves(link: KafkaLink) -> None:
    with closing(Members(link)) as one:
        assert until("one has all", lambda: one.shares == {0, 1, 2, 3}, 30)
        with closing(Members(link)) as other:
            until("they share", lambda: len(one.shares) == len(other.shares) == 2, 30)
            assert one.shares | other.shares == {0, 1, 2, 3}
            mine, theirs = min(one.shares), min(other.shares)
            assert one.of.holds(mine, one.of.term)
            assert not one.of.holds(theirs, one.of.term)
            assert not one.of.holds(mine, one.of.term - 1)
            assert other.of.holds(theirs, other.of.term)
        until("one has all again", lambda: one.shares == {0, 1, 2, 3}, 30)


class Members:
    """A member that looks again and again."""

    def __init__(self, link: KafkaLink) -> None:
        self.of, self.shares = Membership(link, "predictor"), frozenset[int]()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self.of.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            self.shares = self.of.look() or frozenset()
