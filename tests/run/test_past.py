"""Decisions of the past on the page of one workload, in a real browser."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.run.program import Program

WAIT_SECONDS = 60
WEB = "demo/Deployment.apps/web"
CHART = f'[id="{WEB} cores"]'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("past"), "--demo") as program:
        program.wait_for(lambda: "value" in program.workload("web")["replicas"])
        yield program


@pytest.fixture(scope="module")
def decided(demo: Program) -> datetime:
    """A whole second at which a decision was known."""
    found: list[datetime] = []

    def is_known() -> bool:
        found[:] = [datetime.now(UTC).replace(microsecond=0)]
        return demo.page(f"/api/v1/explain/{WEB}?at={text(found[0])}")["replicas"] is not None

    demo.wait_for(is_known)
    return found[0]


class Page:
    """The page of the workload WEB."""

    def __init__(self, browser: webdriver.Chrome, demo: Program) -> None:
        self.browser, self._demo = browser, demo

    def open(self, at: str | None = None) -> None:
        query = {"workload": WEB} | ({} if at is None else {"at": at})
        self.browser.get(f"http://127.0.0.1:{self._demo.http}/?{urlencode(query)}")
        self.wait(lambda: bool(self.browser.find_elements(By.CSS_SELECTOR, f"{CHART} canvas")))

    def wait(self, true: Callable[[], bool]) -> None:
        WebDriverWait(self.browser, WAIT_SECONDS).until(lambda _: true())

    def wait_for(self, at: str) -> None:
        self.wait(lambda: self.find("#moment").text == at)

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self) -> str:
        return self.find("#decision").text

    def asked(self) -> str | None:
        """The time in the address."""
        return parse_qs(urlsplit(self.browser.current_url).query).get("at", [None])[0]

    def point(self, of_width: float) -> ActionChains:
        """At a share of the chart's width; half of it is past."""
        over = self.find(f"{CHART} .u-over")
        right = round((of_width - 0.5) * over.size["width"])
        return ActionChains(self.browser).move_to_element_with_offset(over, right, 0)

    def focus(self) -> WebElement:
        chart = self.find(CHART)
        self.browser.execute_script("arguments[0].focus()", chart)
        return chart


@pytest.fixture
def page(chromium: webdriver.Chrome, demo: Program) -> Iterator[Page]:
    yield Page(chromium, demo)
    chromium.get("about:blank")  # or it would go on asking a program that has ended
    log: Any = chromium.get_log("browser")  # type: ignore[no-untyped-call]
    assert not [e for e in log if e["level"] == "SEVERE" and e["source"] != "network"]  # refusals are of it


def text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def test_a_link_shows_the_decision_of_its_time_in_the_words_of_explain(
    page: Page, demo: Program, decided: datetime
) -> None:
    told = demo.page(f"/api/v1/explain/{WEB}?at={text(decided)}")
    page.open(text(decided).removesuffix("Z"))  # UTC unless it says otherwise
    page.wait_for(text(decided))
    assert [s.get_attribute("id") for s in page.browser.find_elements(By.CSS_SELECTOR, "section")] == [WEB]
    (signal,) = told["signals"]
    assert f"decided\n{told['replicas']['value']:g}\n" in page.text()
    assert "measured\n" in page.text()
    for reason in [*told["replicas"]["reasons"], *signal["reasons"]]:
        assert reason["text"] in page.text()
    assert page.find("#moment").get_attribute("href") == page.browser.current_url


@pytest.mark.parametrize(
    ("at", "problem"),
    [
        (text(datetime.now(UTC) - timedelta(hours=3)), "no decision is known: the log's first is of 20"),
        (text(datetime.now(UTC) - timedelta(days=40)), "time: the log keeps decisions for 35 days"),
        (text(datetime.now(UTC) + timedelta(days=1)), "time: it is still to come"),
        ("noon", "at: 'noon' is not a time"),
    ],
    ids=["before", "gone", "to come", "noon"],
)
def test_a_time_of_which_nothing_is_known_is_an_error_and_no_number(
    page: Page, at: str, problem: str
) -> None:
    page.open(at)
    page.wait_for(at)
    assert page.find("#decision .error").text.startswith(problem)
    assert not page.browser.find_elements(By.CSS_SELECTOR, "#decision dd")


def test_what_was_too_old_to_be_served_is_not_shown_as_decided(page: Page) -> None:
    page.open()
    replicas = {"value": 5, "problem": "it was too old", "floor": 4, "ceiling": 20, "reasons": []}
    told = {"replicas": replicas, "running": {"wanted": 3, "ready": 2}}
    html = page.browser.execute_script("return pastReplicas(arguments[0]).innerHTML", told)
    assert "<dt>decided</dt><dd>—</dd>" in html
    assert "<dt>policy bounds</dt><dd>4 to 20</dd>" in html
    assert "<dt>wanted then</dt><dd>3</dd></div><div><dt>took load</dt><dd>2</dd>" in html
    assert '<p class="error">it was too old</p>' in html


def test_pointing_shows_a_time_and_a_click_keeps_it(page: Page) -> None:
    page.open()
    assert "Point at a time" in page.find("#past").text
    page.point(0.25).perform()
    page.wait(lambda: "no decision is known" in page.text())
    assert page.asked() is None
    ActionChains(page.browser).move_to_element(page.find("h1")).perform()
    page.wait(lambda: "Point at a time" in page.find("#past").text)
    page.point(0.3).click().perform()
    page.wait(lambda: page.asked() is not None)
    kept = page.asked()
    page.point(0.1).move_to_element(page.find("h1")).perform()
    page.wait(lambda: page.find("#moment").text == kept)
    assert page.asked() == kept


def test_the_keyboard_steps_while_live_values_arrive_until_now_is_asked_for(
    page: Page, decided: datetime
) -> None:
    page.open(text(decided + timedelta(minutes=1)))
    chart = page.focus()
    chart.send_keys(Keys.ARROW_LEFT)
    page.wait_for(text(decided))
    shown, state = page.text(), page.find("#state").text
    assert "measured\n" in shown
    for _ in range(2):
        page.wait(lambda state=state: page.find("#state").text != state)  # type: ignore[misc]
        state = page.find("#state").text
    assert page.browser.switch_to.active_element == chart
    assert (page.text(), page.asked()) == (shown, text(decided))
    chart.send_keys(Keys.ARROW_LEFT)
    page.wait_for(text(decided - timedelta(minutes=1)))
    page.find("#now").click()
    page.wait(lambda: "Point at a time" in page.find("#past").text)
    assert page.asked() is None
    chart.send_keys(Keys.ARROW_LEFT)
    page.wait(lambda: page.asked() is not None)
    chart.send_keys(Keys.ESCAPE)
    page.wait(lambda: page.asked() is None)


def test_the_page_of_a_workload_is_linked_from_that_of_all(page: Page, demo: Program) -> None:
    page.browser.get(f"http://127.0.0.1:{demo.http}/")
    page.wait(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, "section h2 a")) > 1)
    assert not page.find("#past").is_displayed()
    page.find(f'[id="{WEB}: title"] a').click()
    page.wait(lambda: page.find("#past").is_displayed())
    page.wait(lambda: len(page.browser.find_elements(By.CSS_SELECTOR, "section")) == 1)


def test_a_workload_without_a_policy_is_named(page: Page, demo: Program) -> None:
    page.browser.get(f"http://127.0.0.1:{demo.http}/?workload=demo/Job.batch/none&at=2026-01-01T00:00:00Z")
    page.wait(lambda: "no policy is in effect for demo/Job.batch/none now" in page.find("main").text)
    page.wait(lambda: "time: the log keeps decisions" in page.text())
