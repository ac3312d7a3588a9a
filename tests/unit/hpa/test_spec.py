import pytest

from adapter.hpa.spec import (
    Behavior,
    Metric,
    MetricType,
    Policy,
    PolicyType,
    Select,
    Spec,
    Target,
    TargetType,
)
from cme.core.errors import InvalidInput


def test_left_out_fields_are_what_the_api_server_fills_in() -> None:
    spec = Spec(max_replicas=3)
    assert (spec.min_replicas, spec.behavior) == (1, None)
    assert spec.metrics == (Metric(MetricType.RESOURCE, Target(TargetType.UTILIZATION, 80), "cpu"),)


def test_an_empty_behavior_has_the_default_rules() -> None:
    behavior = Behavior()
    up, down = behavior.up, behavior.down
    assert up.policies == (Policy(PolicyType.PODS, 4, 15), Policy(PolicyType.PERCENT, 100, 15))
    assert down.policies == (Policy(PolicyType.PERCENT, 100, 15),)
    assert (up.stabilization_s, down.stabilization_s) == (0, None)
    assert (up.select, down.select) == (Select.MAX, Select.MAX)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (MetricType.PODS, TargetType.VALUE),
        (MetricType.PODS, TargetType.UTILIZATION),
        (MetricType.EXTERNAL, TargetType.UTILIZATION),
        (MetricType.OBJECT, TargetType.UTILIZATION),
        (MetricType.RESOURCE, TargetType.VALUE),
    ],
)
def test_a_target_must_fit_its_metric(kind: MetricType, target: TargetType) -> None:
    with pytest.raises(InvalidInput, match=target):
        Metric(kind, Target(target, 1))
