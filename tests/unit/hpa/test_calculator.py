import pytest

from adapter.hpa.arithmetic import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN
from adapter.hpa.calculator import Proposal
from adapter.hpa.failures import Cause, MetricFailed
from adapter.hpa.observation import Container, Pod, Sample
from tests.unit.hpa.given import NOW_MS, calculator, pod, pods, samples


def failure(call: object, *arguments: object) -> Cause:
    with pytest.raises(MetricFailed) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.cause


class TestUtilization:
    def ask(
        self, seen: tuple[Pod, ...], current: int, target: int, *values: int | None, **more: str
    ) -> Proposal:
        found = calculator(seen, more.get("version", "1.36"))
        resource, container = more.get("resource", "cpu"), more.get("container", "")
        return found.utilization(current, target, resource, container, samples(*values))

    def test_percent_is_truncated_before_it_is_compared(self) -> None:
        assert self.ask(pods(3, 1000), 3, 30, 300, 500, 700) == Proposal(5, 500, 50)
        assert self.ask(pods(1, 1000), 1, 50, 559) == Proposal(1, 559, 55), "55.9 % would be out of tolerance"
        assert self.ask(pods(1, 1000), 1, 50, 560) == Proposal(2, 560, 56)

    def test_missing_pods_hold_a_decrease_back_with_all_of_their_request(self) -> None:
        assert self.ask(pods(3, 1000), 3, 60, 100, 100, None).replicas == 2
        assert self.ask(pods(3, 1000), 3, 60, 100, 100, 1000).replicas == 2

    def test_above_100_percent_they_count_with_the_target(self) -> None:
        assert self.ask(pods(2, 1000), 2, 150, 1000, None).replicas == 2

    def test_unready_pods_hold_a_rise_back(self) -> None:
        seen = (*pods(1, 1000), pod("pod-1", 1000, ready="False"), pod("pod-2", 1000, ready="False"))
        assert self.ask(seen, 3, 30, 400, 500, 700) == Proposal(3, 400, 40)

    def test_unready_pods_do_not_hold_a_decrease_back(self) -> None:
        seen = (*pods(1, 1000), pod("pod-1", 1000, ready="False"))
        assert self.ask(seen, 2, 50, 100, 900).replicas == 1

    def test_samples_of_unknown_pods_count_only_in_the_number_of_samples(self) -> None:
        assert self.ask(pods(2, 1000), 2, 50, 1000, 1000, 7000) == Proposal(4, 1000, 100)
        assert self.ask(pods(1, 1000), 1, 50, 1000, 7000, 7000) == Proposal(2, 1000, 100)
        some_missing = (*pods(1, 1000), pod("late", 1000))
        assert self.ask(some_missing, 2, 20, 1000, 7000) == Proposal(8, 1000, 100), (
            "3 samples with the fill, not 2"
        )

    def test_a_request_missing_anywhere_is_an_error(self) -> None:
        assert failure(self.ask, (*pods(1, 1000), pod("pod-1")), 2, 50, 1, 1) is Cause.MISSING_REQUEST

    def test_no_samples_no_pods_no_usable_ones_are_errors_in_this_order(self) -> None:
        assert failure(self.ask, (), 2, 50) is Cause.UNAVAILABLE
        assert failure(self.ask, (), 2, 50, 1) is Cause.NO_PODS
        assert failure(self.ask, (pod("pod-0", 1, phase="Failed"),), 2, 50, 1) is Cause.NONE_USABLE

    def test_requests_that_sum_to_nothing_are_an_error(self) -> None:
        assert failure(self.ask, pods(1, 0), 1, 50, 1) is Cause.UNMATCHED

    @pytest.mark.parametrize("version", ["1.30", "1.33"])
    def test_a_container_that_a_pod_lacks_was_a_request_of_nothing(self, version: str) -> None:
        def ask(version: str) -> Proposal:
            return self.ask(pods(1, 1000), 1, 50, 500, container="other", version=version)

        assert failure(ask, version) is Cause.UNMATCHED
        assert failure(ask, "1.36") is Cause.MISSING_CONTAINER

    def test_one_container_counts_alone(self) -> None:
        two = Container("main", {"cpu": 1000}), Container("side", {"memory": 1})
        seen = (Pod("pod-0", containers=two),)
        assert self.ask(seen, 1, 50, 1000, container="main").utilization == 100
        assert failure(self.ask, seen, 1, 50, 1000) is Cause.MISSING_REQUEST

    def test_requests_of_the_whole_pod_count_where_the_gate_is_on(self) -> None:
        seen = (Pod("pod-0", containers=(Container("main", {"cpu": 1000}),), pod_requests_m={"cpu": 4000}),)
        assert self.ask(seen, 1, 50, 1000).utilization == 25
        assert self.ask(seen, 1, 50, 1000, version="1.33").utilization == 100
        assert self.ask(seen, 1, 50, 1000, container="main").utilization == 100
        assert (
            failure(self.ask, (Pod("pod-0", pod_requests_m={"memory": 1}),), 1, 50, 1)
            is Cause.MISSING_REQUEST
        )


class TestAverage:
    def ask(self, seen: tuple[Pod, ...], current: int, target: int, *values: int | None) -> Proposal:
        return calculator(seen).average(current, target, "", samples(*values))

    def test_plain_up_and_down(self) -> None:
        assert self.ask(pods(5), 5, 20_000, *[12_000] * 5) == Proposal(3, 12_000)
        assert self.ask(pods(3), 3, 15_000, 20_000, 10_000, 30_000) == Proposal(4, 20_000)

    def test_the_average_is_truncated(self) -> None:
        assert self.ask(pods(3), 3, 20_000, 20_000, 21_000, 21_000) == Proposal(3, 20_666)

    def test_ready_pods_count_not_current_replicas(self) -> None:
        assert self.ask(pods(2), 10, 1000, 2000, 2000).replicas == 4

    def test_missing_pods_count_as_the_target_downwards_and_as_nothing_upwards(self) -> None:
        assert self.ask(pods(4), 4, 1000, 500, 500, None, None).replicas == 3
        assert self.ask(pods(4), 4, 1000, 1500, 1500, None, None).replicas == 4, "it would turn the direction"
        assert self.ask(pods(4), 4, 1000, 4000, 4000, None, None).replicas == 8

    def test_at_a_ratio_of_one_missing_pods_are_left_out(self) -> None:
        assert self.ask(pods(3), 3, 1000, 1000, 1000, None).replicas == 3

    def test_more_pods_than_replicas_never_turn_a_decrease_into_a_rise(self) -> None:
        assert self.ask(pods(4), 2, 1000, 800, 800, 800, None).replicas == 2

    def test_readiness_plays_no_part(self) -> None:
        seen = (*pods(1), pod("pod-1", ready="False"))
        assert self.ask(seen, 2, 1000, 2000, 2000).replicas == 4

    def test_of_a_cpu_it_does(self) -> None:
        seen = (*pods(1), pod("pod-1", ready="False"))
        assert calculator(seen).average(2, 1000, "cpu", samples(4000, 9000)) == Proposal(4, 4000)

    def test_sums_wrap_like_int64(self) -> None:
        assert self.ask(pods(2), 2, 1000, INT64_MAX, 1) == Proposal(INT32_MIN, INT64_MIN // 2)


class TestValues:
    def test_an_object_is_compared_with_ready_pods(self) -> None:
        seen = (*pods(2), pod("x", ready="False"))
        assert calculator(seen).object_value(3, 1000, 2000) == Proposal(4, 2000)
        assert calculator(seen).object_value(3, 1000, 1100) == Proposal(3, 1100)

    def test_a_total_on_a_value_target_runs_away(self) -> None:
        """The same total asks for more and more, since more pods don't make it less."""
        replicas = 2
        for expected in (4, 8, 16):
            replicas = calculator(pods(replicas)).external_value(replicas, 1000, (2000,)).replicas
            assert replicas == expected

    def test_from_zero_there_is_no_tolerance_and_no_need_for_pods(self) -> None:
        assert calculator(()).object_value(0, 1000, 1) == Proposal(1, 1)
        assert calculator(()).external_value(0, 1000, (1001,)) == Proposal(2, 1001)
        assert failure(calculator(()).object_value, 1, 1000, 5000) is Cause.NO_PODS

    def test_external_items_are_summed_up_to_the_cap(self) -> None:
        assert calculator(pods(1)).external_value(1, 1000, (1000, 2000)) == Proposal(3, 3000)
        capped = calculator(pods(1)).external_value(1, 1, (INT64_MAX, 5))
        assert capped == Proposal(INT32_MAX, INT64_MAX)
        wrapped = calculator(pods(1), "1.33").external_value(1, 1, (INT64_MAX, 5))
        assert wrapped == Proposal(INT32_MIN, INT64_MIN + 4)


class TestAverageValues:
    def test_status_replicas_count(self) -> None:
        assert calculator(()).object_average(3, 5000, 20_000) == Proposal(4, 6667)
        assert calculator(()).external_average(3, 2150, (8600,)) == Proposal(4, 2867)

    def test_within_tolerance_status_replicas_come_back(self) -> None:
        assert calculator(()).external_average(7, 1000, (7100,)).replicas == 7

    def test_only_the_external_one_is_capped(self) -> None:
        assert calculator(()).external_average(1, 1, (INT64_MAX,)) == Proposal(INT32_MAX, INT64_MAX)
        assert calculator(()).object_average(1, 1, INT64_MAX) == Proposal(INT32_MIN, INT64_MIN)
        assert calculator((), "1.33").external_average(1, 1, (INT64_MAX,)) == Proposal(INT32_MIN, INT64_MIN)

    def test_a_negative_sum_is_taken_for_an_overflow(self) -> None:
        assert calculator(()).external_average(1, 1000, (-5,)).usage_m == INT64_MAX
        assert calculator((), "1.30").external_average(1, 1000, (-5,)).usage_m == -5

    def test_without_replicas_the_average_is_nonsense_and_the_replicas_are_right(self) -> None:
        assert calculator(()).external_average(0, 1000, (2500,)) == Proposal(3, INT64_MIN)
        assert calculator(()).external_average(0, 1000, (0,)) == Proposal(0, INT64_MIN)


def test_exactly_110_percent_scales_up_to_1_30_only() -> None:
    assert calculator(pods(10), "1.30").external_average(10, 1000, (11_000,)).replicas == 11
    assert calculator(pods(10), "1.33").external_average(10, 1000, (11_000,)).replicas == 10


def test_a_sample_keeps_its_time() -> None:
    assert Sample(1).window_ms == 60_000
    assert samples(1)["pod-0"].time_ms == NOW_MS
