"""The conditions in an HPA's status."""

from adapter.hpa.state import Condition, Conditions, ConditionType


def get(conditions: Conditions, kind: ConditionType) -> Condition | None:
    return next((condition for one, condition in conditions if one is kind), None)


def is_true(conditions: Conditions, kind: ConditionType) -> bool:
    """Mirrors getScaledToZeroConditionStatus."""
    found = get(conditions, kind)
    return found is not None and found.status


def put(conditions: Conditions, kind: ConditionType, status: bool, reason: str, now_ms: int) -> Conditions:
    """Mirrors setConditionInList: the time moves only with the status."""
    for place, (one, old) in enumerate(conditions):
        if one is kind:
            if old.status == status and old.reason == reason:
                return conditions
            new = Condition(status, reason, old.transition_ms if old.status == status else now_ms)
            return (*conditions[:place], (kind, new), *conditions[place + 1 :])
    return (*conditions, (kind, Condition(status, reason, now_ms)))


def without(conditions: Conditions, kind: ConditionType) -> Conditions:
    """Mirrors removeCondition."""
    return tuple(pair for pair in conditions if pair[0] is not kind)
