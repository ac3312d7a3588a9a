"""The contract of the metrics APIs: the adapter in this process. Through the aggregator, and the Go library: tests/e2e."""

import asyncio
from pathlib import Path

from tests.contract.metrics_api.cases import CASES
from tests.contract.metrics_api.client import Client
from tests.contract.metrics_api.differences import DIFFERENCES, as_markdown, failures
from tests.contract.metrics_api.found import find
from tests.contract.metrics_api.verdicts import run, summary

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics-api.md"


async def test_the_adapter_fulfils_the_contract(client: Client) -> None:
    found = await asyncio.to_thread(find, client, {}, ["shop"])
    known = DIFFERENCES["tidecast"].reasons
    verdicts = await asyncio.to_thread(run, client, found, known)
    print(summary(verdicts))
    assert "\n".join(failures(verdicts, known)) == ""


def test_the_differences_are_documented() -> None:
    assert as_markdown() in DOCUMENT.read_text()


def test_a_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
