"""The contract of the metrics APIs: the adapter in this process. Through the aggregator, and the Go library: tests/e2e."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.contract.conftest import TOLD
from tests.contract.metrics_api.__main__ import main
from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.client import Client
from tests.contract.metrics_api.differences import DIFFERENCES, as_markdown, failures
from tests.contract.metrics_api.found import find
from tests.contract.metrics_api.verdicts import run, summary

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics-api.md"


async def test_the_adapter_fulfils_the_contract(client: Client) -> None:
    found = await asyncio.to_thread(find, client, TOLD, ["shop"])
    known = DIFFERENCES["tidecast"].reasons
    verdicts = await asyncio.to_thread(run, client, found, known)
    print(summary(verdicts))
    assert "\n".join(failures(verdicts, known)) == ""


def test_the_differences_are_documented() -> None:
    assert as_markdown() in DOCUMENT.read_text()


def test_a_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


async def test_the_command_says_how_many_passed(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text(client.credentials["Authorization"].removeprefix("Bearer "))
    command = ["metrics_api", client.url, "--token-file", str(token), "--namespace", "shop"]
    for more, code in ((["--known", "tidecast"], 0), ([], 1), (["--object", "shop/web"], 2)):
        monkeypatch.setattr("sys.argv", [*command, *more])
        assert await asyncio.to_thread(main) == code
    said = capsys.readouterr()
    assert re.search(r"^\d+ of \d+ passed, [1-9]\d* differ as known, 0 differ;", said.out, re.MULTILINE)
    assert "has not the form NS/RESOURCE/OBJECT/METRIC" in said.err
