import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.metrics import Form, metric_names, parse_metric
from cme.core.identity import SIGNAL_NAME, signal_name_problem


def test_a_workload_has_two_metrics_and_four_of_each_signal() -> None:
    assert metric_names(["qps", "lag"]) == [
        "replicas_scaling",
        "replicas_schedule",
        *("qps", "qps_predicted", "qps_scaling", "qps_per_replica"),
        *("lag", "lag_predicted", "lag_scaling", "lag_per_replica"),
    ]


@pytest.mark.parametrize("form", Form)
def test_the_suffix_tells_the_form(form: Form) -> None:
    assert parse_metric(f"qps{form.value}") == ("qps", form)


@given(signal=st.from_regex(SIGNAL_NAME, fullmatch=True), form=st.sampled_from(Form))
def test_every_signal_that_a_policy_may_have_is_read_back(signal: str, form: Form) -> None:
    if signal_name_problem(signal) is None:
        assert parse_metric(f"{signal}{form.value}") == (signal, form)
