"""Whole steps, told as stories."""

from dataclasses import replace

import pytest

from adapter.hpa import conditions
from adapter.hpa.controller import Controller
from adapter.hpa.observation import Observation, Unavailable, Values
from adapter.hpa.proposals import Failure
from adapter.hpa.reconcile import Step, Why, reconcile
from adapter.hpa.spec import Behavior, Metric, MetricType, ScaleDown, ScaleUp, Spec, Target, TargetType
from adapter.hpa.state import ConditionType, Recommendation, State
from tests.unit.hpa.given import EXTERNAL, NOW_MS, seen, wants

C = Controller()
ZERO = Controller("1.36", {"HPAScaleToZero": True})
SPEC = Spec(max_replicas=20, min_replicas=2, metrics=(EXTERNAL,))
TO_ZERO = replace(SPEC, min_replicas=0)
BEHAVED = replace(SPEC, behavior=Behavior(ScaleUp(), ScaleDown(stabilization_s=0)))
SYNC_MS = 15_000
EMPTY = State(recommendations=())


def after_zero(controller: Controller, spec: Spec = TO_ZERO) -> State:
    """The state of an HPA that the controller has just scaled to zero."""
    step = reconcile(controller, spec, EMPTY, wants(0, 3), NOW_MS)
    assert step.desired == 0
    return step.state._replace(recommendations=())


def test_a_rise_is_written_and_told() -> None:
    step = reconcile(C, SPEC, State(), wants(5, 3), NOW_MS)
    assert (step.desired, step.rescaled, step.why, step.metric) == (5, True, Why.ABOVE_TARGET, 0)
    assert step.reasons == {
        "AbleToScale": "SucceededRescale",
        "ScalingActive": "ValidMetricFound",
        "ScalingLimited": "DesiredWithinRange",
    }
    assert (step.state.desired_replicas, step.state.last_scale_ms) == (5, NOW_MS)


def test_the_size_found_first_counts_as_recommended() -> None:
    step = reconcile(C, SPEC, State(), wants(3, 10), NOW_MS)
    assert (step.desired, step.rescaled) == (10, False)
    assert step.reasons["AbleToScale"] == "ScaleDownStabilized"
    assert step.state.recommendations == (Recommendation(10, NOW_MS), Recommendation(3, NOW_MS))
    assert reconcile(C, SPEC, EMPTY, wants(3, 10), NOW_MS).desired == 3


def follow(controller: Controller, spec: Spec, demand: list[int], current: int) -> list[int]:
    """Replicas after each sync; pods are there at once."""
    state, sizes = State(), []
    for tick, wanted in enumerate(demand):
        step = reconcile(controller, spec, state, wants(wanted, current), NOW_MS + tick * SYNC_MS)
        assert step.desired is not None
        state, current = step.state, step.desired
        sizes.append(current)
    return sizes


def test_a_decrease_waits_for_the_window_and_one_sync_for_the_inclusive_end() -> None:
    """300 s are 20 syncs: the size found is exactly 300 s old in step 20 and still counts."""
    assert follow(C, SPEC, [3] * 22, 10) == [10] * 21 + [3]


def test_with_behavior_the_end_of_the_window_is_exclusive() -> None:
    assert follow(C, replace(SPEC, behavior=Behavior()), [3] * 22, 10) == [10] * 20 + [3] * 2


def test_doubling_is_the_most_that_one_step_adds() -> None:
    assert follow(C, SPEC, [20] * 4, 2) == [4, 8, 16, 20]


def test_default_behavior_counts_what_it_added_in_its_period() -> None:
    assert follow(C, BEHAVED, [20] * 4, 2) == [6, 12, 20, 20]


@pytest.mark.parametrize(
    ("current", "expected", "why"), [(25, 20, Why.ABOVE_MAXIMUM), (1, 2, Why.BELOW_MINIMUM)]
)
def test_out_of_bounds_no_metric_is_read(current: int, expected: int, why: Why) -> None:
    step = reconcile(C, SPEC, State(), seen(current, Unavailable()), NOW_MS)
    assert (step.desired, step.why, step.outcomes) == (expected, why, ())
    assert "ScalingActive" not in step.reasons
    assert step.state.recommendations == (Recommendation(current, NOW_MS),)


TWO = replace(SPEC, metrics=(EXTERNAL, EXTERNAL))


def test_a_failing_metric_blocks_a_decrease_only() -> None:
    up = reconcile(C, TWO, EMPTY, seen(5, Values((9000,)), Unavailable()), NOW_MS)
    assert (up.desired, up.reasons["ScalingActive"]) == (9, "ValidMetricFound")
    same = reconcile(C, TWO, EMPTY, seen(5, Values((5000,)), Unavailable()), NOW_MS)
    assert (same.desired, same.rescaled) == (5, False)
    down = reconcile(C, TWO, EMPTY, seen(5, Values((3000,)), Unavailable()), NOW_MS)
    assert (down.desired, down.why) == (5, Why.NO_METRIC)
    assert down.reasons["ScalingActive"] == "FailedGetExternalMetric"
    assert down.state.recommendations == (), "nothing is recommended"


def test_the_first_failure_names_the_reason() -> None:
    per_object = Metric(MetricType.OBJECT, Target(TargetType.VALUE, 1))
    spec = replace(SPEC, metrics=(per_object, EXTERNAL))
    step = reconcile(C, spec, EMPTY, seen(5, Unavailable(), Unavailable()), NOW_MS)
    assert step.reasons["ScalingActive"] == "FailedGetObjectMetric"
    assert all(isinstance(one, Failure) for one in step.outcomes)


@pytest.mark.parametrize("reading", [Unavailable(), Values(()), Values((1, 2))])
def test_an_object_metric_has_one_value(reading: Values | Unavailable) -> None:
    spec = replace(SPEC, metrics=(Metric(MetricType.OBJECT, Target(TargetType.AVERAGE_VALUE, 1)),))
    assert reconcile(C, spec, EMPTY, seen(5, reading), NOW_MS).why is Why.NO_METRIC


def test_the_largest_proposal_wins() -> None:
    step = reconcile(C, TWO, EMPTY, seen(5, Values((6000,)), Values((8000,))), NOW_MS)
    assert (step.desired, step.metric) == (8, 1)


@pytest.mark.parametrize("reason", ["InvalidSelector", "AmbiguousSelector"])
def test_a_selector_that_selects_for_others_too_stops_everything(reason: str) -> None:
    step = reconcile(C, SPEC, EMPTY, replace(wants(9, 5), selector_error=reason), NOW_MS)
    assert (step.desired, step.reasons["ScalingActive"], step.outcomes) == (5, reason, ())


def test_without_a_scale_nothing_is_known() -> None:
    step = reconcile(C, SPEC, State(), Observation(None), NOW_MS)
    assert (step.desired, step.why) == (None, Why.NO_SCALE)
    assert step.reasons == {"AbleToScale": "FailedGetScale"}
    assert step.state.recommendations is None


def test_a_refused_write_leaves_no_event() -> None:
    refused = replace(wants(9, 5), scale_writable=False)
    step = reconcile(C, BEHAVED, EMPTY, refused, NOW_MS)
    assert (step.desired, step.rescaled, step.state.ups) == (5, False, ())
    assert step.reasons["AbleToScale"] == "FailedUpdateScale"
    assert step.state.recommendations == (Recommendation(9, NOW_MS),), "but the recommendation stays"
    assert [one.change for one in reconcile(C, BEHAVED, EMPTY, wants(9, 5), NOW_MS).state.ups] == [4]


def test_conditions_keep_the_time_of_their_last_change() -> None:
    first = reconcile(C, SPEC, State(), wants(3, 3), NOW_MS)
    second = reconcile(C, SPEC, first.state, wants(3, 3), NOW_MS + SYNC_MS)
    third = reconcile(C, SPEC, second.state, seen(3, Unavailable()), NOW_MS + 2 * SYNC_MS)
    times = [transition(step, ConditionType.SCALING_ACTIVE) for step in (first, second, third)]
    assert times == [NOW_MS, NOW_MS, NOW_MS + 2 * SYNC_MS]


def transition(step: Step, kind: ConditionType) -> int:
    found = conditions.get(step.state.conditions, kind)
    assert found is not None
    return found.transition_ms


def test_a_metric_that_overflows_to_the_smallest_number_means_none() -> None:
    spec = replace(TO_ZERO, metrics=(Metric(MetricType.OBJECT, Target(TargetType.AVERAGE_VALUE, 1)),))
    assert reconcile(C, spec, EMPTY, seen(3, Values((2**62,))), NOW_MS).desired == 0


class TestZero:
    @pytest.mark.parametrize("version", ["1.30", "1.33"])
    def test_old_controllers_wake_whenever_the_minimum_is_zero(self, version: str) -> None:
        assert reconcile(Controller(version), TO_ZERO, EMPTY, wants(3, 0), NOW_MS).desired == 3
        assert reconcile(Controller(version), SPEC, EMPTY, wants(3, 0), NOW_MS).why is Why.DISABLED

    @pytest.mark.parametrize("controller", [ZERO, Controller("1.37")])
    def test_new_ones_wake_if_they_went_there_themselves(self, controller: Controller) -> None:
        state = after_zero(controller)
        assert conditions.is_true(state.conditions, ConditionType.SCALED_TO_ZERO)
        step = reconcile(controller, TO_ZERO, state, wants(3, 0), NOW_MS)
        assert (step.desired, step.reasons["ScaledToZero"]) == (3, "NotScaledToZero")

    @pytest.mark.parametrize("controller", [ZERO, C])
    def test_scaled_to_zero_by_hand_they_stay_there(self, controller: Controller) -> None:
        step = reconcile(controller, TO_ZERO, EMPTY, wants(3, 0), NOW_MS)
        assert (step.desired, step.why, step.reasons["ScalingActive"]) == (0, Why.DISABLED, "ScalingDisabled")

    def test_without_the_gate_the_condition_goes_away(self) -> None:
        step = reconcile(C, TO_ZERO, after_zero(ZERO), wants(3, 0), NOW_MS)
        assert step.why is Why.DISABLED
        assert "ScaledToZero" not in step.reasons

    def test_a_minimum_raised_meanwhile_is_reached_at_once(self) -> None:
        state = after_zero(ZERO)
        step = reconcile(ZERO, replace(SPEC, min_replicas=6), state, wants(1, 0), NOW_MS)
        assert step.desired == 6, "more than the 4 that a step from zero may add"
        idle = reconcile(ZERO, SPEC, state, wants(0, 0), NOW_MS)
        assert (idle.desired, idle.rescaled) == (2, True)

    def test_only_an_object_or_external_metric_may_wake_it(self) -> None:
        of_pods = replace(TO_ZERO, metrics=(Metric(MetricType.PODS, Target(TargetType.AVERAGE_VALUE, 1)),))
        step = reconcile(ZERO, of_pods, after_zero(ZERO), wants(3, 0), NOW_MS)
        assert step.why is Why.DISABLED

    def test_idle_at_zero_is_no_change(self) -> None:
        step = reconcile(ZERO, TO_ZERO, after_zero(ZERO), wants(0, 0), NOW_MS)
        assert (step.desired, step.rescaled, step.why) == (0, False, Why.ON_TARGET)
        assert step.reasons["ScaledToZero"] == "ScaledToZero"
