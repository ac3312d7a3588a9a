"""Every statement, and what is said of one that is wrong."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapter.hpa.spec import TargetType
from adapter.replay.cluster import Nodes, Startup
from adapter.replay.scenario.build import read_scenario
from adapter.replay.scenario.expectation import Because, Bound, Total
from adapter.replay.scenario.grammar import FORMS, statements_of
from adapter.replay.scenario.lines import BrokenScenario, Line, lines_of
from adapter.replay.scenario.scenario import Scenario
from cme.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from cme.core.reasons import Reason
from tests.unit.adapter.replay.scenario.text import EXPECTED, LOADS, POLICY, RUN, SOUND, problems, read

ROOT = Path(__file__).parents[5]
NINE = 1_772_438_400_000
"""2026-03-02 09:00 in Berlin."""


def came(scenario: Scenario, signal: str, at_ms: int) -> float:
    """The load in the minute before."""
    return float(scenario.came.mean(np.array([at_ms]), MINUTE_MS)[scenario.rows[signal], 0])


def test_a_sound_one(tmp_path: Path) -> None:
    scenario = read(SOUND, tmp_path)
    assert (scenario.since_ms, scenario.until_ms) == (NINE, NINE + HOUR_MS)
    assert scenario.zone.key == "Europe/Berlin"
    assert not scenario.learns
    assert dict(scenario.carries) == {"qps": 100, "arrivals": 2}
    assert scenario.contender.replicas is None
    assert scenario.contender.autoscaler is not None
    assert scenario.contender.autoscaler.controller.version == "1.36"
    (expected,) = scenario.expectations
    assert (expected.since_ms, expected.until_ms) == (NINE + 30 * MINUTE_MS, None)
    assert (expected.bound, expected.unit) == (Bound("10", 10, 10), "replicas")
    assert expected.because == Because(Reason.RAW)


def test_comments_empty_lines_and_lines_that_go_on(tmp_path: Path) -> None:
    text = (
        f"# what it is\n\n{POLICY}{RUN}load qps: 500 until 08:00,   # night\n\n    1000\nload arrivals: 0\n"
    )
    scenario = read(text + EXPECTED, tmp_path)
    assert came(scenario, "qps", NINE) == 1000


@pytest.mark.parametrize("form", FORMS, ids=[form.example for form in FORMS])
def test_each_example_is_a_statement_of_its_form(form: object) -> None:
    (one,) = (each for each in FORMS if each is form)
    first = next(each for each in FORMS if each.pattern.fullmatch(one.example))
    assert first is one
    assert statements_of([Line("f", 1, one.example)])


def test_the_example_of_the_documentation_is_one() -> None:
    page = (ROOT / "docs/scenarios.md").read_text()
    example = page.split("```\n")[1]
    assert len(statements_of(lines_of(example, "docs"))) == 13


def test_files_beside_it_hold_policies_settings_and_hpas(tmp_path: Path) -> None:
    body = "\n".join(line.removeprefix("  ") for line in POLICY.splitlines()[1:])
    other = body.replace("name: web", "name: other")
    (tmp_path / "all.yaml").write_text(f"kind: Settings\nrateWindow: 1m\n---\n{body}\n---\n{other}\n")
    (tmp_path / "hpa.yaml").write_text(HPA)
    asked = "policy all.yaml shop/web\nhpa hpa.yaml\nkubernetes 1.33 with HPAConfigurableTolerance\n"
    scenario = read(asked + RUN + LOADS + EXPECTED, tmp_path)
    assert scenario.settings.rate_window == MINUTE_MS
    autoscaler = scenario.contender.autoscaler
    assert autoscaler is not None
    assert autoscaler.metrics == ("qps",)
    assert autoscaler.spec.metrics[0].target.type is TargetType.AVERAGE_VALUE
    assert autoscaler.controller.own_tolerances
    assert problems("policy all.yaml\n" + RUN + LOADS + EXPECTED, tmp_path)[0].startswith(
        "1: there are 2 policies: shop/web, shop/other; name one"
    )


HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 60
  metrics:
    - {type: External, external: {metric: {name: qps}, target: {type: AverageValue, averageValue: "80"}}}
"""


def test_the_cluster(tmp_path: Path) -> None:
    scenario = read(
        SOUND + "pods start within 90s\npods carry 120 qps\npods have 4 cores\n"
        "nodes hold 10 pods and come within 3m\nbegin with 12 replicas\n",
        tmp_path,
    )
    assert scenario.site.startup == Startup(90_000)
    assert scenario.site.nodes == Nodes(10, 180_000)
    assert scenario.carries["qps"] == 120
    assert scenario.cores == 4
    assert scenario.contender.replicas == 12


def test_a_load_holds_rises_and_falls_day_after_day(tmp_path: Path) -> None:
    load = "load qps: 500 until 08:00, rises to 4000 by 09:00, 3000 until 20:00, falls to 500 by 22:00\n"
    scenario = read(POLICY + RUN + "history 2 days\n" + load + "load arrivals: 0\n" + EXPECTED, tmp_path)
    assert scenario.learns
    assert scenario.came.start_ms == NINE - 2 * DAY_MS
    for day in (0, 1):
        nine = NINE - day * DAY_MS
        assert came(scenario, "qps", nine - HOUR_MS) == 500
        assert came(scenario, "qps", nine - HOUR_MS // 2) == pytest.approx(2250, rel=0.02)
        assert came(scenario, "qps", nine + MINUTE_MS) == 3000
    assert came(scenario, "qps", NINE - 12 * HOUR_MS) == pytest.approx(1750, rel=0.02)
    assert came(scenario, "qps", NINE - 10 * HOUR_MS) == 500


def test_noise_is_the_same_each_time_and_within_its_share(tmp_path: Path) -> None:
    text = POLICY + RUN + "load qps: 1000, varies by 5 %\nload arrivals: 2, varies by 5%\n" + EXPECTED
    one, two = read(text, tmp_path), read(text, tmp_path)
    assert one.came.values.tolist() == two.came.values.tolist()
    qps, arrivals = one.came.values
    assert 950 <= qps.min() < 960 < 1040 < qps.max() <= 1050
    assert not np.allclose(qps / 1000, arrivals / 2)


def test_a_load_goes_by_the_clock_where_clocks_are_set(tmp_path: Path) -> None:
    run = "run from 2026-03-29 00:00 to 06:00\nzone Europe/Berlin\n"
    load = "load qps: 1000 until 03:00, 2000\nload arrivals: 0\n"
    scenario = read(POLICY + run + load + "at 03:30 expect 20 replicas\n", tmp_path)
    two_hours_later = scenario.since_ms + 2 * HOUR_MS  # 03:00
    assert came(scenario, "qps", two_hours_later) == 1000
    assert came(scenario, "qps", two_hours_later + MINUTE_MS) == 2000
    assert scenario.expectations[0].since_ms == two_hours_later + HOUR_MS // 2


def test_other_loads_and_failures_for_a_time(tmp_path: Path) -> None:
    scenario = read(SOUND + "from 09:10 to 09:20 qps is 3k\nfrom 09:15 to 09:25 qps is unknown\n", tmp_path)
    assert came(scenario, "qps", NINE + 20 * MINUTE_MS) == 3000
    assert came(scenario, "qps", NINE + 21 * MINUTE_MS) == 1000
    seen = scenario.seen.mean(NINE + np.array([15, 16, 25, 26]) * MINUTE_MS, MINUTE_MS)
    assert np.isnan(seen[scenario.rows["qps"]]).tolist() == [False, True, True, False]
    assert not np.isnan(scenario.came.values).any()


def test_times_are_of_a_date_a_day_or_the_next_that_comes(tmp_path: Path) -> None:
    run = "run from 2026-10-24 22:00 to 2026-10-26 12:00\n"
    times = {
        "22:00": 0,
        "21:59:30": DAY_MS + HOUR_MS - 30_000,  # the day on which clocks are set back has 25 hours
        "02:30": 4 * HOUR_MS + HOUR_MS // 2,
        "02:30+02:00": 4 * HOUR_MS + HOUR_MS // 2,
        "02:30+01:00": 5 * HOUR_MS + HOUR_MS // 2,
        "day 2 24:00": 27 * HOUR_MS,
        "2026-10-25 23:00": 26 * HOUR_MS,
        "day 3 6:00": 33 * HOUR_MS,
    }
    text = "".join(f"at {time} expect 1 replica\n" for time in times)
    scenario = read(POLICY + run + LOADS + text, tmp_path)
    assert [one.since_ms - scenario.since_ms for one in scenario.expectations] == list(times.values())


def test_expectations(tmp_path: Path) -> None:
    scenario = read(
        SOUND + "at 09:40 expect at least 3 ready pods because held, not raw and forecast\n"
        "from 09:40 to 09:50 expect between 1 and 2k jobs\nat 09:41 expect at most 7 qps\n"
        "in total expect at most 0.1% short\n",
        tmp_path,
    )
    _, ready, jobs, qps = scenario.expectations
    assert ready.bound == Bound("at least 3", 3, float("inf"))
    assert ready.because == Because(Reason.HELD | Reason.FORECAST, Reason.RAW)
    assert jobs.until_ms == NINE + 50 * MINUTE_MS
    assert (jobs.bound.least, jobs.bound.most, jobs.unit) == (1, 2000, "jobs")
    assert (qps.bound.least, qps.bound.most) == (0, 7)
    assert [total for _, total in scenario.totals] == [Total(Bound("at most 0.1", 0, 0.1), "% short")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exept 3", "no statement begins with 'exept'"),
        ("at", "this is no statement: 'at'; write it like: at 07:50"),
        ("polcy web.yaml", "write it like: policy transcoder.yaml"),
        ("whatever", "no statement begins with 'whatever'; statements begin with policy, hpa,"),
        ("at noon expect 3 replicas", "write it like: at 07:50 expect"),
        (
            "at 09:30 expect 3 replicas because of luck",
            "there is no reason 'of luck'; write one of raw, forecast",
        ),
        ("at 09:30 expect 3 replicas because raw, not raw", "raw can't be a reason and be none"),
        ("at 09:30 expect between 3 replicas", "write it like: at 07:50"),
        ("at 09:30 expect at least 3", "write it like: at 07:50"),
        ("at 09:30 expect many replicas", "'many' is not a Kubernetes quantity"),
        ("at 09:30 expect -3 replicas", "'-3' is below 0"),
        ("at 09:30 expect between 3 and 2 replicas", "write the smaller number first"),
        ("at 09:30 expect 3 pigs", "there is no number of 'pigs'; write one of replicas, ready pods, qps"),
        ("at 10:30 expect 3 replicas", "10:30 is not within the run"),
        ("at 25:00 expect 3 replicas", "write one from 00:00 to 24:00"),
        ("at 09:30:60 expect 3 replicas", "write one from 00:00 to 24:00"),
        ("at 24:00:01 expect 3 replicas", "write one from 00:00 to 24:00"),
        ("at 2026-02-30 09:30 expect 3 replicas", "there is no date 2026-02-30"),
        ("at 9999-12-31 24:00 expect 3 replicas", "the year 9999 is out of range"),
        ("at 2026-03-29 02:30 expect 3 replicas", "the clocks of Europe/Berlin are set forward over 02:30"),
        ("at 09:30+05:00 expect 3 replicas", "are not +05:00 then; write +01:00"),
        ("from 09:59:50 to 10:00 expect 3 replicas", "10:00 is not 15 s behind 09:59:50"),
        ("at day " + "9" * 5000 + " 09:30 expect 3 replicas", "this is no statement"),
        ("at day 0 09:30 expect 3 replicas", "the run's first is day 1"),
        ("from 09:30 to 09:20 expect 3 replicas", "09:20 is not 15 s behind 09:30"),
        ("from 09:30 to 09:30 expect 3 replicas", "09:30 is not 15 s behind 09:30"),
        ("from 09:30 to 09:40 jobs is 3", "jobs is a backlog, which depends on what runs; say it of"),
        ("from 09:30 to 09:40 pigs is 3", "the policy has no signal 'pigs'; it has qps, arrivals"),
        ("from 09:30 to 09:40 qps is many", "'many' is not a Kubernetes quantity"),
        ("from 09:30 to 09:40 qps is 1G", "calls for more than 100000 replicas"),
        ("from 09:30 to 09:40 metrics fail", "arrivals arrives in a backlog, which the model counts by it"),
        ("in total expect 3 pigs", "there is no figure 'pigs' of a run; write one of % short"),
        ("in total expect 3 cores saved", "write as in: pods have 4 cores"),
        ("load jobs: 3", "jobs is a backlog"),
        ("load qps: 3", "a second one of qps; keep one"),
        ("pods carry 3 pigs", "the policy has no signal 'pigs'"),
        ("pods carry 0 qps", "write more than 0"),
        ("pods have 0 cores", "write more than 0"),
        ("pods start within soon", "'soon' is not a duration"),
        ("pods start within 25h", "write at most 24h"),
        ("nodes hold 0 pods and come within 3m", "'0' is not a whole number from 1 to 100000"),
        ("begin with 1e5 replicas", "'1e5' is not a whole number"),
        ("history 61 days", "'61' is not a whole number from 1 to 60"),
        ("kubernetes 1.2", "'1.2' is not modeled; choose one of 1.30"),
        ("kubernetes 1.36 with Magic", "Kubernetes 1.36 has no Magic"),
        ("zone Mars/Phobos", "'Mars/Phobos' is no IANA time zone"),
        ("hpa none.yaml", "No such file or directory"),
        ("hpa -", "write it like: hpa hpa.yaml"),
        ("hpa:\n  kind: [}", "correct the YAML"),
        ("hpa:\n  kind: Nothing", "0 HPAs scale shop/Deployment.apps/web"),
        ("run from 2026-03-02 09:00 to 09:30", "a second 'run'; keep one"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(line: str, told: str, tmp_path: Path) -> None:
    found = problems(SOUND + line + "\n", tmp_path)
    number = SOUND.count("\n") + 1
    assert len(found) == 1
    assert told in found[0]
    assert int(found[0].split(":")[0]) in range(number, number + 2)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("rises to 3 by 08:00", "the load begins with 'rises to 3 by 08:00'"),
        ("3 until 08:00, falls to 4 by 09:00", "from 3 it neither rises nor falls so"),
        ("3 until 08:00, rises to 4 by 07:00", "07:00 is not behind the time before it"),
        ("3, 4", "'4' is behind the end of the day"),
        ("3 until 08:00, somehow to 4", "'somehow to 4' is no part of a load"),
        ("3 until 08:70", "'08:70' is not a time of day"),
        ("3, varies by 91 %", "a load can't vary by 91 %"),
        ("100G", "calls for more than 100000 replicas"),
    ],
)
def test_what_is_wrong_with_a_load(shape: str, told: str, tmp_path: Path) -> None:
    (found,) = problems(POLICY + RUN + f"load arrivals: 0\nload qps: {shape}\n" + EXPECTED, tmp_path)
    assert told in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it names no policy"),
        ("   at 09:30\n", "1: it is indented"),
        (POLICY + LOADS + EXPECTED, "it does not say when it runs"),
        (POLICY + RUN + LOADS, "it expects nothing"),
        (POLICY + RUN + EXPECTED + "load qps: 3\n", "its signal arrivals has no load"),
        (POLICY + "run from 09:00 to 10:00\n" + LOADS + EXPECTED, "09:00 has no date"),
        (POLICY + "run from 2026-03-02 09:00 to 2026-04-09 10:00\n" + LOADS + EXPECTED, "up to 31 days"),
        (POLICY + "run from 2026-03-02 09:00 to 2026-03-01 10:00\n" + LOADS + EXPECTED, "is not a run"),
        (SOUND.replace("perReplica: 2", "perReplika: 2"), "10: spec.signals.1.perReplica: it is missing"),
        (SOUND.replace("perReplica: 2", "perReplica: ["), "correct the YAML"),
        (SOUND.replace("maxReplicas: 100", "maxReplicas: 2000000000"), "set at most 100000 to play it"),
        (SOUND.replace("kind: ScalingPolicy", "kind: Policy"), "unknown kind 'Policy'"),
        (SOUND.replace(POLICY, "policy none.yaml\n"), "No such file or directory"),
    ],
)
def test_what_is_wrong_with_a_whole(text: str, told: str, tmp_path: Path) -> None:
    assert any(told in one for one in problems(text, tmp_path)), problems(text, tmp_path)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = (
        SOUND
        + "at 10:30 expect 3 replicas\npods carry 3 pigs\nbegin with 3 replicas\nat 09:30 expect 3 pigs\n"
    )
    first = SOUND.count("\n") + 1
    assert [int(one.split(":")[0]) - first for one in problems(text, tmp_path)] == [0, 1, 3]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * 100_001], ids=["no text", "endless"])
def test_files_that_are_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.scenario"
    file.write_bytes(content)
    with pytest.raises(BrokenScenario, match=r"a\.scenario: it "):
        read_scenario(file)
    with pytest.raises(BrokenScenario, match="No such file"):
        read_scenario(tmp_path / "none")


def a_scenario_or_told(text: str, folder: Path) -> None:
    try:
        scenario = read(text.encode(errors="replace").decode(), folder)
    except BrokenScenario as error:
        broken = error
    else:
        assert scenario.expectations or scenario.totals
        return
    assert broken.problems
    assert all(problem.text for problem in broken.problems)


WORDS = st.sampled_from(
    [word for form in FORMS for word in form.example.split()]
    + [
        "\n",
        "\n",
        "\n  ",
        "qps",
        "jobs",
        "09:30",
        "02:30+01:00",
        "9" * 40,
        "1e999",
        "-1",
        "NaN",
        "\0",
        "é",
        ":",
        ",",
        "%",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(), st.lists(WORDS, max_size=30).map(" ".join)), after=st.booleans())
@example(text="policy a\0b", after=False)
@example(text="run from 2026-03-02 09:00 to 2099-12-31 24:00", after=False)
@example(text="hpa:\n  " + "[" * 100, after=True)
def test_any_text_is_a_scenario_or_told_what_is_wrong(tmp_path: Path, text: str, after: bool) -> None:
    a_scenario_or_told(SOUND + text if after else text, tmp_path)


FILES = [file.read_text() for file in sorted((ROOT / "tests/scenarios").glob("*.scenario"))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.sampled_from(FILES),
    begin=st.integers(0, 1500),
    length=st.integers(0, 12),
    instead=st.text(max_size=3) | WORDS,
)
@example(text=SOUND + "at 09:30 expect between 3 and 4 replicas", begin=len(SOUND) + 26, length=5, instead="")
def test_a_scenario_that_is_damaged_is_one_or_told_what_is_wrong(
    tmp_path: Path, text: str, begin: int, length: int, instead: str
) -> None:
    a_scenario_or_told(f"{text[:begin]}{instead}{text[begin + length :]}", tmp_path)


def test_a_line_of_yaml_keeps_its_place() -> None:
    found = lines_of("policy:\n  a: 1\n\n  # no\n  b: 2\nrun x\n", "f")
    assert [(line.number, line.text, line.block) for line in found] == [
        (1, "policy:", "  a: 1\n\n  # no\n  b: 2\n"),
        (6, "run x", ""),
    ]
