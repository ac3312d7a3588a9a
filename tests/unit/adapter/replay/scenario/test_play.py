"""What is noted of a run."""

from pathlib import Path

import pytest

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
    assert whole.peak == 20
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
