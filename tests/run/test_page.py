"""The page in a real browser (Chromium, headless)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.run.program import Program

WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("page"), "--demo") as program:
        program.wait_for(lambda: "value" in program.workload("web")["signals"][0]["predicted"])
        yield program


@pytest.fixture(scope="module")
def browser(chromium: webdriver.Chrome, demo: Program) -> Iterator[webdriver.Chrome]:
    chromium.get(f"http://127.0.0.1:{demo.http}/")
    wait(chromium, "section .uplot canvas")
    yield chromium
    chromium.get("about:blank")  # or it would go on asking a program that has ended


def wait(browser: webdriver.Chrome, selector: str) -> None:
    WebDriverWait(browser, WAIT_SECONDS).until(lambda b: b.find_elements(By.CSS_SELECTOR, selector))


def ink(browser: webdriver.Chrome, canvas: str) -> int:
    """Pixels of the green that only the forecast has."""
    return int(
        browser.execute_script(
            """
            const canvas = document.querySelector(arguments[0]);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4)
              if (data[i + 3] > 0 && data[i + 1] > data[i] + 40 && data[i + 1] > data[i + 2] + 20) count += 1;
            return count;
            """,
            canvas,
        )
    )


def test_every_workload_is_shown_with_its_served_value_and_reasons(
    browser: webdriver.Chrome, demo: Program
) -> None:
    for workload in demo.page("/api/v1/workloads")["workloads"]:
        section = browser.find_element(By.ID, workload["id"])
        for signal in workload["signals"]:
            assert signal["name"] in section.text
    web = browser.find_element(By.ID, "demo/Deployment.apps/web")
    assert "served" in web.text
    assert web.find_element(By.CSS_SELECTOR, ".reasons").text
    assert "forecast" in web.text


def test_the_forecast_band_is_drawn(browser: webdriver.Chrome) -> None:
    assert ink(browser, '[id="demo/Deployment.apps/transcoder queue_backlog"] canvas') > 1000


def test_another_span_shows_the_hours_of_28_days(browser: webdriver.Chrome) -> None:
    chart = '[id="demo/Deployment.apps/web cores"] canvas'
    before = browser.execute_script("return document.querySelector(arguments[0]).toDataURL()", chart)
    Select(browser.find_element(By.ID, "span")).select_by_value("28d")

    def drawn_anew(driver: webdriver.Chrome) -> bool:
        now = driver.execute_script("return document.querySelector(arguments[0]).toDataURL()", chart)
        return bool(now != before)

    WebDriverWait(browser, WAIT_SECONDS).until(drawn_anew)


def test_the_page_asks_nobody_but_tidecast_and_reports_no_error(
    browser: webdriver.Chrome, demo: Program
) -> None:
    names = browser.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert names
    assert all(name.startswith(f"http://127.0.0.1:{demo.http}/") for name in names)
    log: Any = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [e for e in log if e["level"] == "SEVERE" and "favicon" not in e["message"]]


def test_the_seasons_of_a_series_are_told(browser: webdriver.Chrome, demo: Program) -> None:
    demo.wait_for(lambda: demo.page("/api/v1/history/demo/deployments.apps/web/cores")["parts"] is not None)
    Select(browser.find_element(By.ID, "span")).select_by_value("6h")  # asks for the history again
    summary = '[id="demo/Deployment.apps/web cores seasons"] summary'
    wait(browser, summary)
    # At once: the next history brings another element.
    told = browser.execute_script("return document.querySelector(arguments[0]).textContent", summary)
    strength = re.match(r"seasons: day ([\d.]+), week [\d.]+ of 1$", told)
    assert strength
    assert float(strength[1]) > 0.9


def test_a_forecast_that_is_not_trusted_says_why(browser: webdriver.Chrome) -> None:
    figures = {
        "coverage": 0.9,
        "baseline_coverage": 0.95,
        "loss_ratio": 1.5,
        "over_ratio": None,
        "bias_ratio": 0,
    }
    good: dict[str, Any] = {
        "target": "max",
        "lead_ms": 300_000,
        "trusted": True,
        "reasons": [],
        "compared": 288,
        **figures,
    }
    doubted = good | {"lead_ms": 900_000, "trusted": False, "reasons": [{"text": "its loss was above"}]}
    cells = [good, doubted, good | {"target": "at"}, good | {"compared": 0}]
    html = browser.execute_script(
        'const box = document.createElement("details"); showTrust(box, { cells: arguments[0] }); return box.innerHTML',
        cells,
    )
    assert "<summary>forecast: 1 of 2 leads are not trusted</summary>" in html
    assert (
        "<th>15 min</th><td>90 %</td><td>95 %</td><td>× 1.5</td><td>—</td><td>0 %</td><td>its loss was above</td>"
        in html
    )
