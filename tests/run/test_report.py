"""The backtest's report in a real browser, opened as a file."""

from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from adapter.backtest.report import html
from tests.unit.backtest.test_results import result


def test_the_report_draws_bands_and_reliability_from_its_own_file(
    chromium: webdriver.Chrome, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(html([result(name="web"), result(-3.0, name="queue")], "A backtest", "a table"))
    chromium.get(path.as_uri())
    assert len(chromium.find_elements(By.CSS_SELECTOR, "#reliability canvas")) == 2
    assert len(chromium.find_elements(By.CSS_SELECTOR, "#band canvas")) == 1
    assert [row.text.split()[0] for row in chromium.find_elements(By.CSS_SELECTOR, "#figures tr")][1:] == [
        "web",
        "queue",
    ]
    Select(chromium.find_element(By.ID, "series")).select_by_visible_text("queue")
    assert len(chromium.find_elements(By.CSS_SELECTOR, "#band canvas")) == 1
    log: Any = chromium.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [e for e in log if e["level"] == "SEVERE" and e["message"].startswith(path.as_uri())]
