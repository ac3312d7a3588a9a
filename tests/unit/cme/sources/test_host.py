from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cme.core.readings import Harvest
from cme.sources.host import Host, Spec
from cme.sources.protocol import SourceFailed
from tests.contract.source_laws import NOW_MS

# As Linux 6.8 writes it, with names that fill the column, and one with a colon (an alias).
TEXT = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999999    9999    0    0    0     0          0         0   999999    9999    0    0    0     0       0          0
  eth0: 1500000   1000    0    0    0     0          0         0    40000     300    0    0    0     0       0          0
enp0s31f6:18446744073709551615 7 0 0 0 0 0 0 11 7 0 0 0 0 0 0
"""


async def read(folder: Path, text: str, **spec: Any) -> Harvest:
    (folder / "dev").write_text(text)
    return await Host(Spec.model_validate(spec), None, folder / "dev").read(NOW_MS, 5.0)


def values(harvest: Harvest) -> dict[str, float]:
    return {r.part: r.value for r in harvest.readings}


@pytest.mark.parametrize(
    ("direction", "eth0", "enp0s31f6"), [("in", 1_500_000.0, 2.0**64), ("out", 40_000.0, 11.0)]
)
async def test_all_interfaces_but_the_loopback(
    direction: str, eth0: float, enp0s31f6: float, tmp_path: Path
) -> None:
    harvest = await read(tmp_path, TEXT, direction=direction)
    assert values(harvest) == {"eth0": eth0, "enp0s31f6": enp0s31f6}
    assert harvest.expected == {"": 2}
    assert harvest.counters


async def test_only_the_named_ones_even_the_loopback(tmp_path: Path) -> None:
    assert values(await read(tmp_path, TEXT, direction="in", interfaces=["lo"])) == {"lo": 999_999.0}
    assert values(await read(tmp_path, TEXT, direction="in", interfaces=["eth0", "eth0"])) == {
        "eth0": 1_500_000.0
    }


async def test_a_missing_interface_is_a_failed_part(tmp_path: Path) -> None:
    harvest = await read(tmp_path, TEXT, direction="in", interfaces=["eth0", "eth9"])
    assert values(harvest) == {"eth0": 1_500_000.0}
    assert harvest.expected == {"": 2}
    assert harvest.failures == ["this machine has no interface eth9"]


async def test_without_any_of_its_interfaces_it_fails(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="no interface eth8"):
        await read(tmp_path, TEXT, direction="in", interfaces=["eth9", "eth8"])
    with pytest.raises(SourceFailed, match="no interface but the loopback"):
        await read(tmp_path, "".join(TEXT.splitlines(keepends=True)[:3]), direction="in")


async def test_another_system_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="No such file or directory; the host source needs Linux"):
        await Host(Spec(direction="in"), None, tmp_path / "none").read(NOW_MS, 5.0)


def test_a_direction_is_in_or_out() -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate({"direction": "both"})


@pytest.mark.skipif(not Path("/proc/net/dev").exists(), reason="needs Linux")
async def test_this_machines_own_file_is_understood() -> None:
    harvest = await Host(Spec.model_validate({"direction": "in", "interfaces": ["lo"]}), None).read(
        NOW_MS, 5.0
    )
    assert list(values(harvest)) == ["lo"]
