"""The replay's report in a real browser, opened as a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from adapter.hpa.controller import Controller
from adapter.replay.baselines import reactive, static
from adapter.replay.cluster import Site
from adapter.replay.contender import Contender, following
from adapter.replay.report import Document, html
from adapter.replay.study import document, study
from tests.unit.adapter.replay.past import MINUTE, START, past, policy

CONTROLLER = Controller("1.36")
HOSTILE = (
    "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\">"
)


def made(scale: float) -> Document:
    """Four hours of a wave with a burst, whose quantiles lie apart."""
    values = [scale * (1000 + 900 * np.sin(minute / 30) + 800 * (minute == 100)) for minute in range(240)]
    known = past(values, ahead=1)
    spread = known.forecasts["qps"].largest * np.array([1, 1.1, 1.2, 1.4], dtype=np.float32)[None, :, None]
    known = replace(known, forecasts={"qps": replace(known.forecasts["qps"], largest=spread)})
    covering = [policy(forecast={"quantile": quantile, "lead": "5m"}) for quantile in (0.5, 0.9, 0.99)]
    contenders = [
        *(reactive(covering[0], percent, 300, CONTROLLER) for percent in (70, 50, 90)),
        *(Contender("tidecast", str(p.spec.forecast.covered), p, following(p, CONTROLLER)) for p in covering),
        static(covering[0], 20),
    ]
    return document(study(contenders, known, Site(), START + MINUTE, START + 240 * MINUTE), 0.04, 1.0)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "report.html"
    path.write_text(html([made(1), made(2) | {"workload": HOSTILE}], "A replay"))
    return path


@pytest.fixture
def browser(chromium: webdriver.Chrome, page: Path) -> Iterator[webdriver.Chrome]:
    chromium.get(page.as_uri())
    yield chromium
    log: Any = chromium.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [e for e in log if e["level"] == "SEVERE" and e["message"].startswith(page.as_uri())]
    assert chromium.title == "A replay"


def one_of_all(browser: webdriver.Chrome, name: str) -> None:
    Select(browser.find_element(By.ID, "workload")).select_by_visible_text(name)


def column(browser: webdriver.Chrome, table: str, number: int) -> list[str]:
    cells = browser.find_elements(By.CSS_SELECTOR, f"#{table} tbody tr > :nth-child({number})")
    return [cell.text for cell in cells]


def legend(browser: webdriver.Chrome, chart: str) -> list[str]:
    return [label.text for label in browser.find_elements(By.CSS_SELECTOR, f"#{chart} .u-label")]


def test_all_workloads_are_told_and_one_is_chosen_by_a_click(browser: webdriver.Chrome) -> None:
    names = ["all 2 workloads", "shop/Deployment.apps/web", HOSTILE]
    assert column(browser, "workloads", 1) == names
    assert not browser.find_element(By.ID, "time").is_displayed()
    browser.find_element(By.CSS_SELECTOR, "#workloads tbody tr:nth-child(3) button").click()
    assert browser.find_element(By.ID, "whose").text == f"Policies for {HOSTILE}"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#time canvas")) == 1
    assert len(browser.find_elements(By.CSS_SELECTOR, "#curve canvas")) == 1


def test_a_click_on_a_column_sorts_and_another_turns_the_order(browser: webdriver.Chrome) -> None:
    before = column(browser, "policies", 3)
    for order in (sorted(before, key=float), sorted(before, key=float, reverse=True)):
        browser.find_element(By.CSS_SELECTOR, "#policies th:nth-child(3) button").click()
        assert column(browser, "policies", 3) == order != before
    head = browser.find_element(By.CSS_SELECTOR, "#policies th:nth-child(3)")
    assert head.get_attribute("aria-sort") == "descending"
    focused = browser.switch_to.active_element
    assert focused.text.startswith("cost")


def test_what_is_ticked_is_drawn(browser: webdriver.Chrome) -> None:
    one_of_all(browser, "shop/Deployment.apps/web")
    assert "HPA 300 s 50 %" not in legend(browser, "time")
    browser.find_element(By.XPATH, "//label[contains(., 'HPA 300 s 50 %')]/input").send_keys(Keys.SPACE)
    assert "HPA 300 s 50 %" in legend(browser, "time")
    browser.find_element(By.XPATH, "//label[contains(., 'HPA 300 s 50 %')]/input").send_keys(Keys.SPACE)
    assert "HPA 300 s 50 %" not in legend(browser, "time")
    assert legend(browser, "curve") == ["HPA 300 s", "tidecast", "static", "hindsight"]


def test_costs_are_compared_with_what_is_chosen(browser: webdriver.Chrome) -> None:
    one_of_all(browser, "shop/Deployment.apps/web")
    Select(browser.find_element(By.ID, "reference")).select_by_visible_text("static 20")
    saved = dict(zip(column(browser, "policies", 1), column(browser, "policies", 4), strict=True))
    costs = dict(zip(column(browser, "policies", 1), column(browser, "policies", 3), strict=True))
    assert saved["static 20"] == "0.0"
    expected = 100 * (1 - float(costs["HPA 300 s 70 %"]) / float(costs["static 20"]))
    assert float(saved["HPA 300 s 70 %"]) == pytest.approx(expected, abs=0.5)
    assert "At the shortage of static 20" in browser.find_element(By.ID, "equally").text
    assert column(browser, "equal", 2)[2] == "static 20"


def span(browser: webdriver.Chrome) -> float:
    """Seconds that the chart over time shows."""
    shown = browser.execute_script("const { x } = plots.get('time').scales; return x.max - x.min")
    return float(shown)


def settle(browser: webdriver.Chrome) -> None:
    """Until what was asked of a chart has been drawn."""
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def test_the_keyboard_reads_values_and_zooms(browser: webdriver.Chrome) -> None:
    one_of_all(browser, "shop/Deployment.apps/web")
    chart, whole = browser.find_element(By.ID, "time"), span(browser)
    chart.send_keys(Keys.SHIFT + Keys.ARROW_RIGHT * 2)
    settle(browser)
    time, *values = [one.text for one in browser.find_elements(By.CSS_SELECTOR, "#time .u-value")]
    assert time.endswith("UTC")
    assert len(values) > 6
    assert all("replicas" in value for value in values)
    chart.send_keys("+")
    assert span(browser) == pytest.approx(whole / 2)
    chart.send_keys(Keys.ESCAPE)
    assert span(browser) == pytest.approx(whole)


def test_dragging_zooms_and_another_choice_keeps_what_is_shown(browser: webdriver.Chrome) -> None:
    one_of_all(browser, "shop/Deployment.apps/web")
    whole, over = span(browser), browser.find_element(By.CSS_SELECTOR, "#time .u-over")
    ActionChains(browser).move_to_element(over).click_and_hold().move_by_offset(100, 0).release().perform()
    zoomed = span(browser)
    assert zoomed < whole / 4
    browser.find_element(By.NAME, "schedules").click()
    settle(browser)
    assert span(browser) == pytest.approx(zoomed)


def test_a_point_of_the_curve_says_what_it_is(browser: webdriver.Chrome) -> None:
    tip = browser.find_element(By.CSS_SELECTOR, "#curve .tip")
    assert not tip.is_displayed()
    browser.find_element(By.ID, "curve").send_keys(Keys.ARROW_RIGHT)
    settle(browser)
    assert tip.is_displayed()
    assert " %, over " in tip.text
    assert tip.text.split(":")[0] in column(browser, "policies", 1)


def test_what_is_not_known_is_a_dash_and_stays_last(browser: webdriver.Chrome) -> None:
    browser.execute_script("report.together[1].longest_delay_s = null; show()")
    for _ in range(2):
        browser.find_element(By.CSS_SELECTOR, "#policies th:nth-child(10) button").click()
        waits = column(browser, "policies", 10)
        assert waits[-1] == "—"
        assert "—" not in waits[:-1]
