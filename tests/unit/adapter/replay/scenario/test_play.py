"""What is noted of a run."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.replay.scenario.judge import failures
from adapter.replay.scenario.play import Played, play
from adapter.replay.scenario.report import summary, told
from cme.core.durations import MINUTE_MS
from cme.core.reasons import Reason
from tests.unit.adapter.replay.scenario.text import EXPECTED, LOADS, POLICY, RUN, SOUND, read


def played(text: str, folder: Path) -> Played:
    return play(read(text, folder))


def test_each_sync_is_noted(tmp_path: Path) -> None:
    text = (
        SOUND + "pods start within 0s\nfrom 09:40 to 09:50 qps is 2000\nfrom 09:55 to 10:00 qps is unknown\n"
    )
    moments = played(text, tmp_path).moments
    assert len(moments) == 240
    at = {(moment.now_ms - moments[0].now_ms) // MINUTE_MS: moment for moment in moments}
    assert (at[30].replicas, at[30].ready, at[30].served, at[30].values["qps"]) == (10, 10, 10, 1000)
    assert (at[42].replicas, at[42].ready, at[42].served, at[42].values["qps"]) == (20, 20, 20, 2000)
    assert at[30].predicted["qps"] != at[30].predicted["qps"]
    assert set(at[30].predicted) == {"qps", "arrivals"}
    assert at[30].values["jobs"] == 0
    assert at[57].served != at[57].served
    assert at[57].reasons & Reason.MISSING
    assert at[57].why == "no metric, or too few of them, could be read"


def test_what_is_not_measured_is_missed_all_the_same(tmp_path: Path) -> None:
    text = SOUND + "from 09:30 to 09:45 qps is 2000\nfrom 09:29 to 09:46 qps is unknown\n"
    whole = played(text, tmp_path).whole
    assert whole.outcome.peak == 20
    assert whole.outcome.minutes_short == pytest.approx(15)
    assert whole.saved_percent == pytest.approx(50)


def test_cores_are_told_where_they_are_known(tmp_path: Path) -> None:
    text = SOUND + "from 09:30 to 09:45 qps is 2000\npods start within 0s\npods have 4 cores\n"
    whole = played(text, tmp_path).whole
    assert whole.saved_cores == pytest.approx(4 * 0.75 * 10, rel=0.02)
    assert f"({whole.saved_cores:.1f} cores) less than the peak's 20" in summary(whole)


def test_a_schedule_may_cost_more_than_the_peak(tmp_path: Path) -> None:
    whole = played(SOUND + "begin with 100 replicas\n", tmp_path).whole
    assert "less" in summary(whole)
    paused = SOUND.replace("namespace: shop", 'namespace: shop, annotations: {tidecast.dev/pause: "true"}')
    assert "900.0 % (90.0 replicas) more than" in summary(
        played(paused.replace(" because raw", "") + "begin with 100 replicas\n", tmp_path).whole
    )


EITHER = (
    ("begin with 0 replicas", "begin with 5000 replicas"),
    ("kubernetes 1.30", "kubernetes 1.37"),
    ("pods start within 0s", "pods start within 24h"),
    ("pods carry 0.001 qps", "pods carry 1M qps"),
    ("pods carry 0.001 arrivals", "pods carry 1M arrivals"),
    ("nodes hold 1 pod and come within 0s", "nodes hold 3 pods and come within 20m"),
    ("from 09:00 to 10:00 qps is 0", "from 09:10 to 09:11 qps is 10M"),
    ("from 09:20 to 10:00 arrivals is 200k", "zone Antarctica/Troll"),
    ("from 09:00 to 10:00 qps is unknown", "from 09:45 to 09:45:15 expect 0 jobs because not held"),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(added=st.tuples(*(st.sampled_from(("", *each)) for each in EITHER)), lowest=st.integers(0, 100))
def test_whatever_is_written_can_be_played_and_told(
    tmp_path: Path, added: tuple[str, ...], lowest: int
) -> None:
    text = SOUND.replace("minReplicas: 2", f"minReplicas: {lowest}") + "\n".join(added)
    scenario = read(text, tmp_path)
    found = play(scenario)
    assert len(found.moments) == 240
    for failure in failures(scenario, found):
        assert list(told(failure, scenario.zone))
    assert summary(found.whole)


def test_without_any_load_there_are_no_shares_of_it(tmp_path: Path) -> None:
    idle = SOUND.replace("load qps: 1000", "load qps: 0").replace("10 replicas", "2 replicas")
    assert "short - (0.0 minutes), over -," in summary(played(idle, tmp_path).whole)
    scenario = read(idle + "in total expect 0 % over\n", tmp_path)
    (failure,) = failures(scenario, play(scenario))
    assert failure.found == "nan % over"


def test_starts_are_learnt_where_the_policy_says_so(tmp_path: Path) -> None:
    spec = """\
    forecast: {lead: auto}
    schedules: [{name: s, start: "30 9 * * *", duration: 10m, minReplicas: 50}]
"""
    # a minute and a half to start, and 110 s behind it: rate window, tick, forecast, the HPA's look
    times = "at 09:26:30 expect 10 replicas\nat 09:26:45 expect 50 replicas because schedule_ahead\n"
    scenario = read(POLICY + spec + RUN + LOADS + "pods start within 90s\n" + times, tmp_path)
    assert not failures(scenario, play(scenario))


def test_an_hpa_that_asks_for_no_decision_has_no_reasons(tmp_path: Path) -> None:
    hpa = """\
hpa:
  apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: web, namespace: shop}
  spec:
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    maxReplicas: 60
    metrics:
      - {type: External, external: {metric: {name: qps}, target: {type: AverageValue, averageValue: "80"}}}
"""
    scenario = read(POLICY + hpa + RUN + LOADS + EXPECTED, tmp_path)
    (failure,) = failures(scenario, play(scenario))
    lines = list(told(failure, scenario.zone))
    assert lines[1].startswith(
        "  found 13 replicas because no reason: the HPA asks for no decision at 2026-03-02 09:30"
    )
