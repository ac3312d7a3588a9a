import pytest

from adapter.hpa.controller import Controller
from cme.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("version", "zero", "own", "caps"),
    [
        ("1.30", False, False, False),
        ("1.33", False, False, False),
        ("1.36", False, True, True),
        ("1.37", True, True, True),
    ],
)
def test_what_versions_do_by_default(version: str, zero: bool, own: bool, caps: bool) -> None:
    controller = Controller(version)
    assert (controller.scales_to_zero, controller.own_tolerances, controller.caps) == (zero, own, caps)


def test_a_gate_turns_things_on_and_off() -> None:
    assert Controller("1.33", {"HPAConfigurableTolerance": True}).own_tolerances
    assert Controller("1.36", {"HPAScaleToZero": True}).scales_to_zero
    assert not Controller("1.37", {"HPAScaleToZero": False}).scales_to_zero


def test_older_api_servers_have_the_gate_but_their_controllers_ignore_it() -> None:
    assert not Controller("1.33", {"HPAScaleToZero": True}).scales_to_zero


@pytest.mark.parametrize(
    ("version", "gates", "complaint"),
    [
        ("1.29", {}, "1.29"),
        ("1.30", {"HPAConfigurableTolerance": True}, "has no HPAConfigurableTolerance"),
        ("1.37", {"HPAConfigurableTolerance": False}, "locked"),
    ],
)
def test_what_does_not_exist_is_refused(version: str, gates: dict[str, bool], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        Controller(version, gates)
