"""Each form of a metric, and each reason why there is none with its exact sentence."""

import math

import pytest

from adapter.answers import NotServed, Served
from adapter.metrics import metric_names
from cme.core.documents import parse_document
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.policy import ScalingPolicy
from tests.unit.adapter.stage import NAN, NOW, Stage, as_text, policy

WEB = policy("web")
NIGHT = {"name": "night", "start": "0 22 * * *", "duration": "10h", "minReplicas": 40, "maxReplicas": 50}
NAME = "shop/Deployment.apps/web"
FORMS = ("qps", "qps_predicted", "qps_scaling", "qps_per_replica", "replicas_scaling")


@pytest.fixture
def stage() -> Stage:
    """All is well: 250 requests a second and a backlog of 60 on two pods, and a forecast of 320 and 50."""
    stage = Stage(WEB)
    stage.run(WEB, "web-1", "web-2", app="web")
    stage.forecast(qps=320.0, queue_backlog=50.0)
    stage.clock.advance(10_000)
    stage.measure(WEB, qps=250.5, queue_backlog=60.0, age=2_000)
    stage.decide()
    return stage


@pytest.mark.parametrize(
    ("metric", "milli", "time_ms"),
    [
        ("qps", 250_500, NOW + 8_000),
        ("qps_predicted", 320_000, NOW),
        ("qps_scaling", 320_000, NOW + 8_000),
        ("qps_per_replica", 125_250, NOW + 8_000),
        ("queue_backlog", 60_000, NOW + 8_000),
        ("queue_backlog_predicted", 50_000, NOW),
        ("queue_backlog_scaling", 60_000, NOW + 8_000),
        ("queue_backlog_per_replica", 30_000, NOW + 8_000),
        ("replicas_scaling", 4_000, NOW + 8_000),
        ("replicas_schedule", 0, NOW + 10_000),
    ],
)
def test_every_form_has_its_value_and_the_time_of_its_measurement(
    metric: str, milli: int, time_ms: int, stage: Stage
) -> None:
    assert stage.served(WEB, metric) == Served(milli, time_ms, window_s=30)


def test_a_share_of_a_replica_is_rounded_down(stage: Stage) -> None:
    stage.run(WEB, "web-1", "web-2", "web-3")
    assert stage.served(WEB, "queue_backlog_per_replica").milli == 20_000
    assert stage.served(WEB, "qps_per_replica").milli == 83_500
    stage.run(WEB, *(f"web-{n}" for n in range(7)))
    assert stage.served(WEB, "qps_per_replica").milli == 35_785  # 250500 / 7 = 35785.7


@pytest.mark.parametrize("running", range(1, 30))
def test_from_every_size_a_value_target_leads_to_the_size_that_the_total_implies(
    running: int, stage: Stage
) -> None:
    """By the HPA's formula for Value: ceil(value / target x replicas)."""
    stage.measure(WEB, qps=500.0)
    stage.run(WEB, *(f"web-{n}" for n in range(running)))
    assert math.ceil(stage.served(WEB, "qps_per_replica").milli / 100_000 * running) == 5


def test_an_unknown_metric_names_the_known_ones(stage: Stage) -> None:
    assert stage.refusal(WEB, "latency_scaling") == (
        404,
        f"{NAME} has no metric latency_scaling; it has {', '.join(metric_names(['qps', 'queue_backlog']))}",
    )


def test_nothing_is_served_before_the_log_was_read(stage: Stage) -> None:
    stage.view.ready = False
    for metric in FORMS:
        assert stage.refusal(WEB, metric) == (
            503,
            "tidecast is starting and has not read its log yet; it answers in a moment",
        )


def test_the_floor_of_a_schedule_needs_no_data_at_all() -> None:
    stage = Stage(policy("web", schedules=[NIGHT]))
    stage.view.ready = False
    stage.clock.advance(13 * HOUR_MS)  # 21:00:01
    (web,) = stage.policies
    assert stage.served(web, "replicas_schedule").milli == 0
    stage.clock.advance(HOUR_MS)
    assert stage.served(web, "replicas_schedule") == Served(40_000, NOW + 14 * HOUR_MS, 30)
    stage.clock.advance(10 * HOUR_MS)
    assert stage.served(web, "replicas_schedule").milli == 0


def test_the_floor_of_the_limits_is_served_when_no_schedule_holds() -> None:
    stage = Stage(policy("web", schedules=[NIGHT], limits={"minReplicas": 3, "maxReplicas": 400}))
    assert stage.served(stage.policies[0], "replicas_schedule").milli == 3_000


def test_a_schedules_floor_is_raised_by_what_runs_while_that_is_known() -> None:
    stage = Stage(policy("web", schedules=[NIGHT]))
    stage.clock.advance(14 * HOUR_MS)
    (web,) = stage.policies
    stage.run(web, *(f"web-{n}" for n in range(37)))
    assert stage.served(web, "replicas_schedule").milli == 41_000
    stage.clock.advance(3 * MINUTE_MS + 1)
    assert stage.served(web, "replicas_schedule").milli == 40_000


def test_without_any_data_each_metric_says_what_is_missing() -> None:
    stage = Stage(WEB)
    assert {metric: stage.refusal(WEB, metric) for metric in FORMS} == {
        "qps": (
            503,
            f"qps of {NAME}: qps has no fresh value; no new sample comes; is the collector running?",
        ),
        "qps_predicted": (503, f"qps_predicted of {NAME}: there is no forecast of qps yet"),
        "qps_scaling": (
            503,
            f"qps_scaling of {NAME}: there is no fresh decision; is the predictor running?",
        ),
        "qps_per_replica": (
            503,
            f"qps_per_replica of {NAME}: its pods are not known; does the cluster answer tidecast?",
        ),
        "replicas_scaling": (
            503,
            f"replicas_scaling of {NAME}: there is no fresh decision; is the predictor running?",
        ),
    }


def test_a_failing_source_is_named_in_its_own_words(stage: Stage) -> None:
    for _ in range(13):
        stage.clock.advance(5_000)
        stage.measure(WEB, qps="http://10.0.0.7:9100 refused the connection", queue_backlog=60.0)
        stage.decide()
    why = "qps has no fresh value; http://10.0.0.7:9100 refused the connection"
    for metric in ("qps", "qps_scaling", "replicas_scaling"):
        assert stage.refusal(WEB, metric) == (503, f"{metric} of {NAME}: {why}")
    assert stage.served(WEB, "queue_backlog_scaling").milli == 60_000


def test_at_0_replicas_the_refusal_says_that_what_is_measured_at_pods_is_not_there() -> None:
    stage = Stage(WEB)
    stage.run(WEB)
    stage.measure(WEB, qps="http://web:9100 refused the connection")
    why = (
        "qps has no fresh value; http://web:9100 refused the connection; none of its pods is running and ready, and what "
        "is measured at pods does not exist then"
    )
    assert stage.refusal(WEB, "qps") == (503, f"qps of {NAME}: {why}")


def test_of_a_backlog_whose_arrivals_are_missing_the_arrivals_are_named() -> None:
    jobs = {"name": "jobs", "source": {"x": {}}, "perReplica": 5}
    backlog = jobs | {"name": "queue_backlog", "drain": {"within": "10m", "arrivals": "jobs"}}
    queue = policy("web", signals=[backlog, jobs])
    stage = Stage(queue)
    stage.measure(queue, queue_backlog=600.0, jobs="broker:9092 is down")
    stage.decide()
    for metric in ("queue_backlog_scaling", "replicas_scaling"):
        why = f"{metric} of {NAME}: jobs has no fresh value; broker:9092 is down"
        assert stage.refusal(queue, metric) == (503, why)
    stage.run(queue)
    stage.clock.advance(5_000)
    stage.decide()
    assert stage.served(queue, "replicas_scaling") == Served(1_000, NOW, 30)


def asked(**annotations: str) -> ScalingPolicy:
    """The policy WEB with a schedule at night and annotations of ours."""
    whole = as_text(policy("web", schedules=[NIGHT], limits={"minReplicas": 3}))
    whole["metadata"]["annotations"] = {f"tidecast.dev/{name}": text for name, text in annotations.items()}
    return parse_document(ScalingPolicy, whole, "web")


def test_a_paused_workload_is_told_what_runs_also_when_nothing_is_measured() -> None:
    paused = asked(pause="true")
    stage = Stage(paused)
    stage.clock.advance(14 * HOUR_MS)  # the schedule holds
    stage.run(paused, "web-1", "web-2")
    stage.decide()
    served = {metric: stage.served(paused, metric) for metric in ("replicas_scaling", "replicas_schedule")}
    assert {metric: one.milli for metric, one in served.items()} == dict.fromkeys(served, 2_000)
    assert served["replicas_scaling"].timestamp_ms == NOW + 14 * HOUR_MS
    assert stage.served(paused, "qps_scaling").milli == 200_000
    assert stage.refusal(paused, "qps")[0] == 503


def test_a_paused_workload_of_which_it_is_not_known_what_runs_says_so() -> None:
    paused = asked(pause="true")
    stage = Stage(paused)
    stage.measure(paused, qps=400.0, queue_backlog=40.0)
    stage.decide()
    for metric in ("replicas_scaling", "replicas_schedule", "qps_scaling"):
        why = (
            f"{metric} of {NAME}: it is paused, and what runs is not known; does the cluster answer tidecast?"
        )
        assert stage.refusal(paused, metric) == (503, why)
    assert stage.served(paused, "qps").milli == 400_000


def test_a_pinned_number_is_served_until_its_time_without_any_data() -> None:
    pinned = asked(pin="7 until 2027-01-15T09:00:00Z")
    stage = Stage(pinned)
    stage.decide()
    for metric in ("replicas_scaling", "replicas_schedule"):
        assert stage.served(pinned, metric) == Served(7_000, NOW, 30)
    stage.clock.advance(HOUR_MS)
    stage.decide()
    assert stage.served(pinned, "replicas_schedule").milli == 3_000
    assert stage.refusal(pinned, "replicas_scaling")[0] == 503


@pytest.mark.parametrize(("metric", "fresh_ms"), [("qps", 58_000), ("qps_per_replica", 58_000)])
def test_a_signal_is_stale_after_a_minute_of_its_measurement(
    metric: str, fresh_ms: int, stage: Stage
) -> None:
    stage.clock.advance(fresh_ms)
    assert stage.served(WEB, metric).timestamp_ms == NOW + 8_000
    stage.clock.advance(1)
    why = "qps has no fresh value; no new sample comes; is the collector running?"
    assert stage.refusal(WEB, metric) == (503, f"{metric} of {NAME}: {why}")


def test_long_ticks_make_a_signal_stale_later(stage: Stage) -> None:
    slow = stage.settings.model_copy(update={"tick": 30_000})
    answers = stage.answers.__class__(stage.view, slow, None)
    stage.clock.advance(88_000)
    assert answers.metric(stage.entry(WEB), "qps").milli == 250_500
    stage.clock.advance(1)
    with pytest.raises(NotServed, match="qps has no fresh value"):
        answers.metric(stage.entry(WEB), "qps")


def test_a_decision_of_a_predictor_that_stopped_is_not_served(stage: Stage) -> None:
    stage.clock.advance(57_000)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    assert stage.served(WEB, "replicas_scaling").milli == 4_000
    stage.clock.advance(3_001)
    for metric in ("qps_scaling", "replicas_scaling"):
        assert stage.refusal(WEB, metric) == (
            503,
            f"{metric} of {NAME}: there is no fresh decision; is the predictor running?",
        )
    assert stage.served(WEB, "qps").milli == 250_000


def test_the_sentence_of_a_stopped_predictor_stays_the_same(stage: Stage) -> None:
    sentences = set()
    for _ in range(40):
        stage.clock.advance(500)
        stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    stage.clock.advance(38_001)  # the decision is younger than its measurements
    for _ in range(8):
        stage.measure(WEB, qps=250.0, queue_backlog=60.0)
        sentences.add(stage.refusal(WEB, "replicas_scaling")[1])
        stage.clock.advance(500)
    assert sentences == {f"replicas_scaling of {NAME}: there is no fresh decision; is the predictor running?"}


def test_a_decision_is_not_fresher_than_what_was_measured(stage: Stage) -> None:
    stage.clock.advance(50_000)
    stage.decide()
    stage.clock.advance(8_001)
    why = "queue_backlog has no fresh value; no new sample comes; is the collector running?"
    assert stage.refusal(WEB, "queue_backlog_scaling") == (503, f"queue_backlog_scaling of {NAME}: {why}")


def test_of_many_signals_the_one_that_is_missing_is_named(stage: Stage) -> None:
    stage.run(WEB, *(f"web-{n}" for n in range(5)))
    for _ in range(13):
        stage.clock.advance(5_000)
        stage.measure(WEB, qps=250.0, queue_backlog="the broker is down")
        stage.decide()
    assert stage.refusal(WEB, "replicas_scaling") == (
        503,
        f"replicas_scaling of {NAME}: queue_backlog has no fresh value; the broker is down",
    )


def test_with_a_signal_missing_the_others_serve_only_what_is_more_than_runs(stage: Stage) -> None:
    stage.clock.advance(61_000)
    stage.run(WEB, "web-1", "web-2")
    stage.measure(WEB, qps=250.0, queue_backlog="the broker is down")
    stage.decide()
    assert stage.served(WEB, "replicas_scaling").milli == 4_000
    stage.run(WEB, *(f"web-{n}" for n in range(4)))
    stage.decide()
    assert stage.refusal(WEB, "replicas_scaling")[0] == 503


def test_a_forecast_is_stale_after_three_minutes(stage: Stage) -> None:
    stage.clock.advance(170_000)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    stage.decide()
    assert stage.served(WEB, "qps_predicted").milli == 320_000
    stage.clock.advance(1)
    assert stage.refusal(WEB, "qps_predicted") == (
        503,
        f"qps_predicted of {NAME}: the forecast is stale; no new forecast comes; is the predictor running?",
    )


def test_a_stale_forecast_of_a_stopped_collector_names_the_collector(stage: Stage) -> None:
    stage.clock.advance(170_001)
    assert stage.refusal(WEB, "qps_predicted") == (
        503,
        f"qps_predicted of {NAME}: the forecast is stale; no new sample comes; is the collector running?",
    )


def test_a_signal_without_a_forecast_says_so(stage: Stage) -> None:
    stage.forecast(qps=NAN, queue_backlog=50.0)
    stage.decide()
    assert stage.refusal(WEB, "qps_predicted") == (
        503,
        f"qps_predicted of {NAME}: there is no forecast of qps yet",
    )
    assert stage.served(WEB, "qps_scaling").milli == 250_500


@pytest.mark.parametrize("metric", ["qps_per_replica", "queue_backlog_per_replica"])
def test_pods_that_were_told_long_ago_are_not_known(metric: str, stage: Stage) -> None:
    stage.clock.advance(3 * MINUTE_MS - 10_000)
    stage.measure(WEB, qps=250.0, queue_backlog=60.0)
    assert stage.served(WEB, metric).milli > 0
    stage.clock.advance(1)
    assert stage.refusal(WEB, metric) == (
        503,
        f"{metric} of {NAME}: its pods are not known; does the cluster answer tidecast?",
    )


def test_without_a_ready_pod_there_is_nothing_per_replica(stage: Stage) -> None:
    stage.run(WEB)
    assert stage.refusal(WEB, "qps_per_replica") == (
        503,
        f"qps_per_replica of {NAME}: none of its pods is running and ready",
    )


@pytest.mark.parametrize("metric", ["qps", "qps_scaling"])
def test_a_value_that_no_quantity_holds_is_refused_in_the_same_words_each_time(
    metric: str, stage: Stage
) -> None:
    told = set()
    for value in (2e16, 3e16):
        stage.measure(WEB, qps=value)
        stage.decide()
        told.add(stage.refusal(WEB, metric))
    assert told == {(503, f"{metric} of {NAME}: its value can't be served; use a larger unit")}


def test_the_past_of_days_ago_is_never_a_number(stage: Stage) -> None:
    stage.clock.advance(DAY_MS)
    for metric in FORMS:
        assert stage.refusal(WEB, metric)[0] == 503


@pytest.mark.parametrize("step", [-HOUR_MS, HOUR_MS])
def test_a_step_of_the_wall_clock_makes_no_value_stale_and_none_fresh(step: int, stage: Stage) -> None:
    stage.clock.step_wall(step)
    for metric in FORMS:
        assert stage.served(WEB, metric).milli > 0
    stage.clock.advance(3 * MINUTE_MS)
    for metric in FORMS:
        assert stage.refusal(WEB, metric)[0] == 503


def test_shares_of_the_pods_sum_up_to_the_metric(stage: Stage) -> None:
    stage.run(WEB, "web-1", "web-2", "web-3")
    shares = stage.answers.shares(stage.entry(WEB), "qps_scaling")
    assert {pod: share.milli for pod, share in shares.items()} == {
        "web-1": 106_667,
        "web-2": 106_667,
        "web-3": 106_666,
    }
    assert {(share.timestamp_ms, share.window_s) for share in shares.values()} == {(NOW + 8_000, 30)}


def test_there_are_no_shares_of_what_is_not_served(stage: Stage) -> None:
    stage.clock.advance(MINUTE_MS)
    with pytest.raises(NotServed, match="no fresh"):
        stage.answers.shares(stage.entry(WEB), "qps_scaling")
