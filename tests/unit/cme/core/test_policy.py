from typing import Any

import pytest
import yaml

from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.settings import parse_configuration

TEXT = """
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: transcoder, namespace: media}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: transcoder}
  signals:
    - name: queue_backlog
      source: {kafka: {connection: jobs-kafka, topic: jobs, group: transcoder}}
      perReplica: 40
    - name: qps
      source: {prometheus: {connection: main, query: 'sum(rate(http_requests_total[1m]))'}}
      perReplica: 1500m
  forecast: {quantile: 0.95, lead: 3m}
  scaleDown: {window: 10m, maxDecrease: 10%/1m}
  timeZone: Asia/Shanghai
  holidays: [2026-10-01, 2026-10-02]
  schedules:
    - {name: night, start: "0 22 * * *", duration: 10h, minReplicas: 40, maxReplicas: 400}
"""


def document() -> Any:
    return yaml.safe_load(TEXT)


def test_the_documented_example_is_valid() -> None:
    policy = parse_document(ScalingPolicy, document(), "policy.yaml")
    assert str(policy.workload) == "media/Deployment.apps/transcoder"
    assert [s.per_replica for s in policy.spec.signals] == [40.0, 1.5]
    assert (policy.spec.scale_down.share, policy.spec.scale_down.period_ms) == (0.1, 60_000)


def test_it_reads_back_what_it_writes() -> None:
    text = document()
    text["metadata"]["annotations"] = {"tidecast.dev/pin": "4 until 2026-11-29T08:00:00Z", "note": "by hand"}
    text["spec"]["schedules"].append(
        {"name": "day", "start": "0 8 * * *", "end": "0 18 * * *", "minReplicas": 9, "skipHolidays": True}
    )
    policy = parse_document(ScalingPolicy, text, "policy.yaml")
    again = parse_document(ScalingPolicy, policy.model_dump(mode="json", by_alias=True), "again")
    assert again == policy


def test_the_arrivals_of_a_backlog_have_no_drain_themselves() -> None:
    text = document()
    text["spec"]["signals"][0]["drain"] = {"within": "10m", "arrivals": "qps"}
    assert parse_document(ScalingPolicy, text, "policy.yaml").spec.signals[0].drain
    text["spec"]["signals"][1]["drain"] = {"within": "10m", "arrivals": "queue_backlog"}
    with pytest.raises(InvalidInput, match="one without a drain of its own"):
        parse_document(ScalingPolicy, text, "policy.yaml")


@pytest.mark.parametrize(
    ("own", "expected"), [({}, "Asia/Shanghai"), ({"timeZone": "Europe/Berlin"}, "Europe/Berlin")]
)
def test_a_schedule_goes_by_the_policys_time_zone_unless_it_has_its_own(own: Any, expected: str) -> None:
    text = document()
    text["spec"]["schedules"][0] |= own
    (schedule,) = parse_document(ScalingPolicy, text, "policy.yaml").spec.schedules
    assert schedule.window(frozenset()).zone == expected


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("spec.signals.0.perReplica", 0, "spec.signals.0.perReplica: must be more than 0"),
        ("spec.signals.0.name", "qps_scaling", "derives"),
        ("spec.signals.1.name", "queue_backlog", "same name"),
        ("spec.signals.0.source", {}, "exactly one key"),
        ("spec.forecast.quantile", 1.5, "spec.forecast.quantile"),
        ("spec.forecast.lead", "7h", "at most 6h"),
        ("spec.forecast.cost", {"short": 20, "over": 1}, "give one of quantile, cost and slo"),
        ("spec.forecast.cost", {"short": 20, "over": 0}, "spec.forecast.cost.over"),
        ("spec.forecast.slo", {"short": 0.01}, "must be a share between 0% and 100%"),
        ("spec.forecast.slo", {"short": "100%"}, "must be a share between 0% and 100%"),
        ("spec.forecast.quantile", 0.9995, "spec.forecast.quantile"),
        (
            "spec.forecast",
            {"slo": {"short": "0.05%"}},
            "the quantile 0.9995; the highest that errors can tell is 0.999",
        ),
        ("spec.forecast", {"cost": {"short": 1e6, "over": 1}}, "the highest that errors can tell is 0.999"),
        ("spec.signals.0.saturatedAbove", "0", "must be more than 0"),
        ("spec.forecast.leed", "1h", "spec.forecast.leed: there is no such field"),
        ("spec.scaleDown.maxDecrease", "10", "share per period"),
        ("spec.scaleDown.hold", "7h", "hold must be at most 6h"),
        ("spec.schedules.0.start", "99 * * * *", "not a cron expression"),
        ("spec.schedules.0.end", "0 6 * *", "spec.schedules.0.end: '0 6 * *' has 4 fields; write 5"),
        ("spec.schedules.0.end", "0 6 * * *", "spec.schedules.0: give either duration or end"),
        ("spec.schedules.0.duration", None, "spec.schedules.0: give either duration or end"),
        ("spec.schedules.0.duration", "0s", "duration must be above 0"),
        ("spec.schedules.0.ramp", "7h", "ramp must be at most 6h"),
        (
            "spec.schedules",
            [{"name": "x", "start": "0 6 * * *", "duration": "1h", "maxReplicas": 9, "ramp": "1h"}],
            "a ramp needs minReplicas to rise to",
        ),
        ("spec.scaleUp", {"tolerance": -0.1}, "spec.scaleUp.tolerance"),
        ("spec.scaleUp", {"tolerance": "10%"}, "spec.scaleUp.tolerance"),
        ("spec.limits", {"minReplicas": 5, "maxReplicas": 4}, "spec.limits: minReplicas 5 is more than"),
        (
            "spec.signals.0.drain",
            {"within": "10m", "arrivals": "jobs"},
            "spec: signal 'queue_backlog' has drain.arrivals 'jobs'; name another signal of this policy",
        ),
        ("spec.signals.0.drain", {"within": "10m", "arrivals": "queue_backlog"}, "name another signal"),
        (
            "spec.signals.0.drain",
            {"within": "0s", "arrivals": "qps"},
            "within must be above 0 and at most 6h",
        ),
        (
            "spec.signals.0.drain",
            {"within": "7h", "arrivals": "qps"},
            "within must be above 0 and at most 6h",
        ),
        ("spec.limits", {"maxReplicas": 0}, "spec.limits.maxReplicas"),
        (
            "spec.limits",
            {"maxReplicas": 39},
            "spec: schedule 'night' has minReplicas 40, more than limits.maxReplicas 39",
        ),
        (
            "spec.limits",
            {"minReplicas": 401},
            "spec: schedule 'night' has maxReplicas 400, less than limits.minReplicas 401",
        ),
        ("spec.schedules.0.timeZone", "Mars/Base", "no IANA time zone"),
        ("spec.timeZone", "Mars/Base", "spec.timeZone: 'Mars/Base' is no IANA time zone"),
        ("spec.holidays", ["2026-02-30"], "spec.holidays.0"),
        ("spec.holidays", [20261225], "20261225 is not a date, like 2026-12-25"),
        ("spec.schedules.0.minReplicas", 500, "more than maxReplicas"),
        ("spec.targetRef.name", "Bad Name", "not a Kubernetes name"),
        (
            "metadata.annotations",
            {"tidecast.dev/pause": "on"},
            "metadata.annotations.tidecast.dev/pause: 'on' is neither",
        ),
        ("metadata.annotations", {"tidecast.dev/stop": "true"}, "no annotation tidecast.dev/stop"),
        ("kind", "Policy", "kind"),
    ],
)
def test_a_fault_names_file_path_and_remedy(path: str, value: Any, fault: str) -> None:
    changed = document()
    *parents, last = path.split(".")
    place: Any = changed
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    with pytest.raises(InvalidInput, match=r"^policy[.]yaml: ") as caught:
        parse_document(ScalingPolicy, changed, "policy.yaml")
    assert fault in str(caught.value)


SETTINGS = {"apiVersion": "tidecast.dev/v1alpha1", "kind": "Settings"}


def test_a_file_holds_settings_and_policies() -> None:
    found = parse_configuration([SETTINGS | {"tick": "2s"}, document()], "c.yaml")
    assert found.settings.tick == 2000
    assert len(found.policies) == 1


@pytest.mark.parametrize(
    ("documents", "fault"),
    [
        ([SETTINGS, SETTINGS], "second Settings"),
        ([{"kind": "Else"}], "unknown kind 'Else'"),
        (["text"], "unknown kind None"),
        ([document(), document()], "share the name media/transcoder"),
        ([SETTINGS | {"http": "8080"}], "HOST:PORT"),
        ([SETTINGS | {"tick": "1h"}], "tick must be"),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(documents: list[Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        parse_configuration(documents, "c.yaml")


def test_staleness_follows_the_tick() -> None:
    slow = parse_configuration([SETTINGS | {"tick": "30s"}], "c.yaml").settings
    assert slow.signal_stale_ms == 90_000


@pytest.mark.parametrize(
    ("forecast", "quantile"),
    [
        ({}, 0.95),
        ({"quantile": 0.9}, 0.9),
        ({"cost": {"short": 20, "over": 1}}, 20 / 21),
        ({"cost": {"short": 1, "over": 4}}, 0.5),
        ({"cost": {"short": 999, "over": 1}}, 0.999),
        ({"slo": {"short": "0.1%"}}, 0.999),
        ({"slo": {"short": "2.5%"}}, 0.975),
    ],
)
def test_cost_and_slo_become_a_quantile(forecast: dict[str, Any], quantile: float) -> None:
    text = document()
    text["spec"]["forecast"] = forecast
    policy = parse_document(ScalingPolicy, text, "policy.yaml")
    assert policy.spec.forecast.covered == pytest.approx(quantile)
    again = parse_document(ScalingPolicy, policy.model_dump(mode="json", by_alias=True), "again")
    assert again == policy
