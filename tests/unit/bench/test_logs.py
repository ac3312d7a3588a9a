"""The bench of the log measures what it says, on few batches."""

from pathlib import Path

import pytest

from cme.log.record import decode, encode
from tests.bench import log_sizes
from tests.bench.fleet import SIGNALS
from tests.bench.log_batches import Fleet
from tests.bench.logs import AT_ONCE, KINDS, START_MS, Seconds, batches_of, read, rows, run
from tests.contract.log_laws import IMPLEMENTATIONS

WORKLOADS, BATCHES = 3, 4


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(WORKLOADS, SIGNALS)


def test_a_fleet_writes_every_topic(fleet: Fleet) -> None:
    assert fleet.series == WORKLOADS * len(SIGNALS)
    assert fleet.turns.keys() == set(log_sizes.MEASURED)
    for topic, turn in fleet.turns.items():
        batches = turn(START_MS)
        assert {batch.topic for batch in batches} == {topic}
        assert [encode(decode(encode(batch))) for batch in batches] == list(map(encode, batches))


def test_each_implementation_has_a_row_for_each_case(fleet: Fleet, tmp_path: Path) -> None:
    found, kinds = Seconds(), {topic: batches_of(fleet, topic, BATCHES) for topic in KINDS}
    run(tmp_path, kinds, IMPLEMENTATIONS, found)
    head, *told = rows(found, kinds)
    assert len({case[:5] for case in told}) == len(told) == 3 * len(KINDS) * len(AT_ONCE)
    assert {row[-1] for row in told if row[4] == "embedded"} == {"(1.00)"}
    assert {len(row) for row in told} == {len(head)}
    assert all(seconds[0] > 0 for seconds in found.values())


def test_a_log_that_gives_less_than_was_appended_is_no_measurement(fleet: Fleet, tmp_path: Path) -> None:
    log = IMPLEMENTATIONS[0].writer(tmp_path)
    log.append(batches_of(fleet, "minutes", BATCHES))
    read(log, "minutes", {}, BATCHES, 1)
    with pytest.raises(RuntimeError, match="4 batches of minutes were read instead of 5"):
        read(log, "minutes", {}, BATCHES + 1, 1)
    log.close()


def test_a_file_takes_what_the_encoders_made_and_little_more(fleet: Fleet, tmp_path: Path) -> None:
    seen = log_sizes.grown(fleet, "samples", tmp_path, None)
    assert seen.encoded == log_sizes.TURNS * len(encode(fleet.turns["samples"](START_MS)[0]))
    assert seen.encoded < seen.in_file < 3 * seen.encoded


def test_every_topic_has_a_row_of_sizes(fleet: Fleet, tmp_path: Path) -> None:
    head, *told, of_all = log_sizes.rows(fleet, tmp_path, None)
    assert [row[0] for row in told] == log_sizes.MEASURED
    assert {len(row) for row in (*told, of_all)} == {len(head)}
    assert [row[1] for row in told if row[0] in ("samples", "minutes", "policies")] == [
        "changes",
        "17,280",
        "1,440",
    ]
