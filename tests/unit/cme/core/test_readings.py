from collections.abc import Iterator

from cme.core.readings import Flag, Harvest, Reading, total


def test_a_full_sum_is_exact() -> None:
    result = total([(1.0, 50), (2.0, 40)], expected=2)
    assert result is not None
    assert (result.value, result.time_ms, result.coverage, result.flags) == (3.0, 40, 1.0, Flag.NONE)


def test_a_partial_sum_is_scaled_and_says_so() -> None:
    result = total([(1.0, 50)] * 8, expected=10)
    assert result is not None
    assert result.value == 10.0
    assert result.flags == Flag.ESTIMATED


def test_below_the_coverage_the_load_is_missing_not_small() -> None:
    assert total([(1.0, 50)] * 7, expected=10) is None
    assert total([], expected=0) is None


def test_a_harvest_knows_the_readings_of_each_workload() -> None:
    web, other, api = (Reading(part, 1.0, 50, part[:3]) for part in ("web-1", "web-2", "api-1"))
    harvest = Harvest([web, api, other])
    assert harvest.of("web") == [web, other]
    assert harvest.of("api") == [api]
    assert not harvest.of("")


def test_the_readings_of_a_harvest_are_looked_through_once_however_many_workloads_it_serves() -> None:
    looked = 0

    class Counted(list[Reading]):
        def __iter__(self) -> Iterator[Reading]:
            nonlocal looked
            looked += 1
            return super().__iter__()

    names = [f"web-{number}" for number in range(500)]
    harvest = Harvest(Counted(Reading(name, 1.0, 50, name) for name in names))
    assert [harvest.of(name)[0].part for name in names] == names
    assert looked == 1
