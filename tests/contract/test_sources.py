"""Laws of every registered source."""

import asyncio
import contextlib
import math
import re
from pathlib import Path
from typing import Any

import pytest

from cme.collector.sampling import Sampler
from cme.core.errors import InvalidInput
from cme.core.readings import Harvest
from cme.sources import registry
from cme.sources.protocol import Source, SourceFailed, SourceKind
from cme.sources.registry import KINDS, check_source, open_source
from tests.contract import source_laws as laws
from tests.contract.source_laws import NOW_MS, SPECS, TIMEOUT_S, counterpart

README = Path(registry.__file__).with_name("README.md")
NEVER_FAILS = {"demo"}  # a function of time has no parts and nothing that could be down

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
every_fallible = pytest.mark.parametrize("kind", sorted(KINDS.keys() - NEVER_FAILS))


async def read(source: Source) -> Harvest:
    return await source.read(NOW_MS, TIMEOUT_S)


async def failure(source: Source) -> str:
    with pytest.raises(SourceFailed) as caught:
        await read(source)
    return str(caught.value)


async def next_answer(source: Source) -> Harvest:
    """The first one that comes: the kafka source takes no second question before it has done with the first."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(SourceFailed):
                return await read(source)
            await asyncio.sleep(0)


def test_every_kind_is_held_to_the_laws() -> None:
    assert KINDS.keys() == laws.KINDS_WITH_COUNTERPART == SPECS.keys()


@every_kind
async def test_a_read_gives_finite_readings_with_times(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        harvest = await read(other.source)
    assert harvest.readings
    assert not harvest.failures
    assert all(math.isfinite(r.value) and r.value > 0 for r in harvest.readings)
    assert {type(r.value) for r in harvest.readings} == {float}
    assert {(type(r.time_ms), r.time_ms) for r in harvest.readings} == {(int, NOW_MS)}


@every_kind
async def test_no_part_is_told_twice_and_all_are_expected(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        harvest = await read(other.source)
    parts = [(r.workload, r.part) for r in harvest.readings]
    assert len(set(parts)) == len(parts) == sum(harvest.expected.values())
    assert {r.workload for r in harvest.readings} == harvest.expected.keys()


@every_fallible
async def test_a_failing_part_is_expected_and_named_and_never_a_number(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        whole = await read(other.source)
        other.partly()
        partial = await read(other.source)
    assert partial.expected == whole.expected
    assert len(partial.readings) == len(whole.readings) - 1
    assert set(partial.readings) <= set(whole.readings)
    assert len(partial.failures) == 1


@every_fallible
async def test_a_failing_part_fails_with_the_same_text(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        other.partly()
        assert (await read(other.source)).failures == (await read(other.source)).failures


@every_fallible
async def test_a_source_that_failed_says_so_the_same_each_time_and_recovers(
    kind: str, tmp_path: Path
) -> None:
    async with counterpart(kind, tmp_path) as other:
        before = await read(other.source)
        other.broken()
        first, second = await failure(other.source), await failure(other.source)
        other.well()
        after = await read(other.source)
    assert first == second != ""
    assert after == before


@every_kind
async def test_a_cancelled_read_leaves_the_source_whole(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        before = await read(other.source)
        task = asyncio.ensure_future(read(other.source))
        await asyncio.sleep(0)  # so that the read has begun
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        after = await next_answer(other.source)
    assert after == before


@every_kind
async def test_closing_twice_is_fine(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        await read(other.source)
        await other.source.close()
        await other.source.close()


@every_kind
async def test_closing_without_a_read_is_fine(kind: str, tmp_path: Path) -> None:
    async with counterpart(kind, tmp_path) as other:
        await other.source.close()


@every_kind
def test_an_unknown_field_is_refused_with_its_path(kind: str) -> None:
    with pytest.raises(InvalidInput, match=f"policy x, source.{kind}: quary: there is no such field"):
        check(kind, {**SPECS[kind], "quary": "load"})


@every_kind
@pytest.mark.parametrize("body", [None, 7, "text", [], {}])
def test_a_spec_of_another_form_is_refused(kind: str, body: Any) -> None:
    with pytest.raises(InvalidInput, match=f"policy x, source.{kind}: "):
        check(kind, body)


@every_kind
def test_a_good_spec_is_accepted(kind: str) -> None:
    assert check(kind, SPECS[kind]) is KINDS[kind]


@pytest.mark.parametrize("kind", [kind for kind, spec in SPECS.items() if "connection" in spec])
def test_a_connection_must_be_known_and_allowed(kind: str) -> None:
    known = {"main": laws.connections("http://x")["main"].model_copy(update={"namespaces": ("media",)})}
    with pytest.raises(InvalidInput, match=r"there is no connection 'main'.*the settings have: none"):
        check_source({kind: SPECS[kind]}, {}, "media", "policy x")
    with pytest.raises(InvalidInput, match="namespace shop may not use connection 'main'"):
        check_source({kind: SPECS[kind]}, known, "shop", "policy x")
    check_source({kind: SPECS[kind]}, known, "media", "policy x")


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"no source 'oracle'.*demo, host, kafka, prometheus, scrape"):
        check("oracle", {})


async def test_the_readme_shows_a_source_that_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[0]
    assert len(example.splitlines()) <= 30
    names: dict[str, Any] = {"__name__": "cme.sources.queue_file"}
    exec(compile(example, str(README), "exec"), names)
    kind: SourceKind = names["KIND"]
    monkeypatch.setitem(dict_of_kinds(), kind.name, kind)
    (tmp_path / "queue").write_text("42\n")
    source = open_source({kind.name: {"path": str(tmp_path / "queue")}}, {}, "default", "test")
    sampled = Sampler(30_000, 90_000).sample(await read(source), "", NOW_MS)
    assert sampled.total is not None
    assert sampled.total.value == 42.0
    (tmp_path / "queue").write_text("many\n")
    assert await failure(source) == await failure(source)
    with pytest.raises(InvalidInput, match="there is no such field"):
        check(kind.name, {"path": "/x", "quary": 1})
    await source.close()


@every_kind
def test_the_readme_names_every_field(kind: str) -> None:
    section = README.read_text().split(f"### {kind}\n")[1].split("\n### ")[0]
    fields = [field.alias for field in KINDS[kind].spec.model_fields.values()]
    assert [f for f in fields if f"`{f}`" not in section] == []


def check(kind: str, body: Any) -> SourceKind:
    return check_source({kind: body}, laws.connections("http://x"), "default", "policy x, source")[0]


def dict_of_kinds() -> dict[str, SourceKind]:
    assert isinstance(KINDS, dict)
    return KINDS
