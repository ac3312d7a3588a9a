"""What a view holds after records of each topic."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest

from cme.collector.rollup import Bucket, rollup_batch
from cme.core.batch import series_ids
from cme.core.durations import HOUR_MS, MINUTE_MS
from predictor.engine import Forecast
from predictor.grid import L, Q, T
from predictor.records import forecast_batches
from tests.unit.adapter.stage import NOW, Stage, as_text, ids, policy

WEB = policy("web")
QPS, BACKLOG = ids(WEB)


def age(stage: Stage, series: int = QPS) -> int:
    return stage.clock.monotonic_ms() - int(stage.view.samples.get("born", series))


def test_the_newest_measurement_stands() -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps=5.0)
    stage.clock.advance(5_000)
    stage.measure(WEB, qps=6.0)
    stage.measure(WEB, qps=7.0, age=4_000)
    assert stage.view.samples.get("value", QPS) == 6.0
    assert stage.view.samples.get("measured_ms", QPS) == NOW + 5_000


def test_a_duplicate_changes_nothing() -> None:
    stage = Stage(WEB)
    for value in (5.0, 6.0):
        stage.clock.advance(5_000)
        stage.measure(WEB, qps=value)
    stage.measure(WEB, qps=5.0, age=5_000)
    stage.measure(WEB, qps=6.0)
    assert stage.view.samples.get("value", QPS) == 6.0
    assert age(stage) == 0


@pytest.mark.parametrize(("first", "second", "stands"), [(1, 2, 6.0), (2, 1, 5.0), (1, 1, 6.0)])
def test_of_two_samples_of_one_time_the_higher_epoch_stands(first: int, second: int, stands: float) -> None:
    stage = Stage(WEB)
    stage.measure(WEB, epoch=first, qps=5.0)
    stage.measure(WEB, epoch=second, qps=6.0)
    assert stage.view.samples.get("value", QPS) == stands


def test_a_row_without_a_value_keeps_the_last_which_grows_old() -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps=5.0, queue_backlog=1.0)
    stage.clock.advance(20_000)
    stage.measure(WEB, qps="the target is down", queue_backlog=2.0)
    assert stage.view.samples.get("value", QPS) == 5.0
    assert (age(stage), age(stage, BACKLOG)) == (20_000, 0)
    assert stage.view.samples.get("problem", QPS) == "the target is down"
    assert stage.view.samples.get("coverage", QPS) == 0.0


def test_a_value_ends_a_problem() -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps="the target is down")
    stage.measure(WEB, qps=5.0)
    assert stage.view.samples.get("problem", QPS) == ""
    assert stage.view.samples.get("coverage", QPS) == 1.0


def test_a_sample_is_as_old_as_its_measurement() -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps=5.0, age=3_000)
    stage.clock.advance(2_000)
    assert age(stage) == 5_000


@pytest.mark.parametrize("step", [-HOUR_MS, -5_000, 5_000, HOUR_MS])
def test_a_step_of_the_wall_clock_changes_no_age(step: int) -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps=5.0)
    stage.decide()
    stage.clock.advance(2_000)
    stage.clock.step_wall(step)
    assert age(stage) == 2_000
    assert stage.view.decisions.get("born", QPS) == 0


def test_after_the_clock_was_set_back_new_samples_count() -> None:
    stage = Stage(WEB)
    stage.measure(WEB, qps=5.0)
    stage.clock.step_wall(-HOUR_MS)
    stage.clock.advance(5_000)
    stage.measure(WEB, qps=6.0)
    assert stage.view.samples.get("value", QPS) == 6.0
    assert age(stage) == 0


def test_a_decision_is_kept_with_the_ages_of_what_it_rests_on() -> None:
    stage = Stage(WEB)
    stage.forecast(qps=250.0)
    stage.clock.advance(20_000)
    stage.measure(WEB, qps=120.0, age=3_000)
    stage.measure(WEB, queue_backlog=80.0, age=1_000)
    stage.decide()
    decisions = stage.view.decisions
    assert (decisions.get("raw", QPS), decisions.get("value", QPS)) == (120.0, 250.0)
    assert stage.clock.monotonic_ms() - decisions.get("raw_born", QPS) == 3_000
    assert stage.clock.monotonic_ms() - decisions.get("predicted_born", QPS) == 20_000
    workload = stage.entry(WEB).replicas_id
    assert decisions.get("value", workload) == 3.0
    assert stage.clock.monotonic_ms() - decisions.get("raw_born", workload) == 3_000


def test_a_clock_set_back_makes_no_measurement_young_that_is_decided_on_again() -> None:
    stage = Stage(WEB)
    stage.forecast(qps=250.0)
    stage.measure(WEB, qps=120.0)
    stage.decide()
    stage.clock.step_wall(-30_000)
    stage.clock.advance(20_000)
    stage.decide()
    decisions = stage.view.decisions
    assert stage.clock.monotonic_ms() - decisions.get("raw_born", QPS) == 20_000
    assert stage.clock.monotonic_ms() - decisions.get("predicted_born", QPS) == 20_000
    assert decisions.get("born", QPS) == stage.clock.monotonic_ms()
    stage.clock.advance(11_000)
    stage.measure(WEB, qps=130.0)
    stage.decide()
    assert decisions.get("raw_born", QPS) == stage.clock.monotonic_ms()


def test_the_served_past_holds_the_last_decision_of_each_minute() -> None:
    stage = Stage(WEB)
    for value in (100.0, 200.0, 300.0):
        stage.measure(WEB, qps=value)
        stage.decide()
        stage.clock.advance(30_000)
    assert stage.view.served.get(QPS, 0) == (
        [NOW - 1_000 + MINUTE_MS, NOW - 1_000 + 2 * MINUTE_MS],
        {"value": [200.0, 300.0]},
    )


def test_minutes_and_hours_are_kept_apart() -> None:
    stage = Stage(WEB)
    hour = NOW - 1_000
    for topic, end, total in (
        ("minutes", hour, 5.0),
        ("minutes", hour + MINUTE_MS, 6.0),
        ("hours", hour, 9.0),
    ):
        stage.view.take([rollup_batch(topic, end, [QPS], [Bucket(total, total + 1, total, end, 1)])])
    assert stage.view.minutes.get(QPS, 0) == (
        [hour, hour + MINUTE_MS],
        {"mean": [5.0, 6.0], "max": [6.0, 7.0]},
    )
    assert stage.view.hours.get(QPS, 0) == ([hour], {"mean": [9.0], "max": [10.0]})


def test_of_each_block_the_newest_forecast_is_kept() -> None:
    stage = Stage(WEB)
    for now in (NOW, NOW + MINUTE_MS):
        none = np.zeros(600, np.uint32)
        made = Forecast(np.zeros((T, L, Q, 600), np.float32), none, none, none.astype(np.int64))
        stage.view.take(forecast_batches(now, series_ids(list(range(600))), made))
    assert {key: b.time_ms for key, b in stage.view.forecasts.items()} == {
        "block-0": NOW + MINUTE_MS,
        "block-1": NOW + MINUTE_MS,
    }


def test_the_catalog_follows_the_policies() -> None:
    stage = Stage(WEB, policy("api"))
    assert [e.workload.name for e in stage.view.catalog.entries] == ["api", "web"]
    stage.withdraw(WEB)
    assert [e.workload.name for e in stage.view.catalog.entries] == ["api"]
    stage.describe(policy("api"), policy("web", forecast={"lead": "20m"}))
    assert stage.entry(WEB).policy.spec.forecast.lead == 20 * MINUTE_MS


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"kind": "ScalingPolicy"}'])
def test_a_policy_that_cannot_be_read_is_withdrawn_and_named(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(WEB, policy("api"))
    stage.withdraw(WEB, text)
    assert [e.workload.name for e in stage.view.catalog.entries] == ["api"]
    assert "the log's policy shop/web is left out" in caplog.text


def test_a_policy_of_a_later_version_names_the_field_that_it_brought(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(WEB)
    document = as_text(WEB)
    document["spec"]["burst"] = 2
    stage.withdraw(WEB, json.dumps(document))
    assert list(stage.view.catalog.entries) == []
    assert "spec.burst" in caplog.records[-1].getMessage()
    assert caplog.records[-1].levelno == logging.ERROR


def test_other_topics_are_passed_over() -> None:
    stage = Stage(WEB)
    hour = rollup_batch("hours", NOW, [QPS], [Bucket(1.0, 1.0, 1.0, NOW, 1)])
    stage.view.take([hour.__class__("forecast_history", NOW, hour.series, hour.columns)])
    assert stage.view.hours.get(QPS, 0)[0] == []


def test_a_start_reads_no_more_of_a_topic_than_it_keeps() -> None:
    since = Stage().view.positions_since(NOW)
    assert since["minutes"] == NOW - 6 * HOUR_MS
    assert since["hours"] == NOW - 28 * 24 * HOUR_MS
    assert all(NOW - HOUR_MS <= since[topic] < NOW for topic in ("samples", "decisions", "replicas"))


def test_a_plural_that_the_cluster_tells_renames_the_kind() -> None:
    gateway = policy("web", targetRef={"apiVersion": "x.io/v1", "kind": "Gateway", "name": "web"})
    stage = Stage(gateway)
    assert stage.entry(gateway).resource == "gatewaies.x.io"
    told = stage.run(gateway, "web-1")
    stage.view.take([replace(told, columns={**told.columns, "resource": ("gateways",)})])
    assert stage.entry(gateway).resource == "gateways.x.io"
