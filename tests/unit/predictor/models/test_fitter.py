import numpy as np
import pytest

from predictor.grid import T
from predictor.models.fitter import Refused, outlook
from tests.unit.predictor.models.test_classical import tide


async def test_a_fit_in_a_process_of_its_own_says_the_next_day_of_both_targets() -> None:
    hours = np.stack([tide(), 2 * tide()])
    said = await outlook("ets", 7, hours)
    assert (said.end_ms, said.largest) == (7, hours.max())
    assert said.mean.shape == said.deviation.shape == (T, 24)
    np.testing.assert_allclose((said.mean[1] / said.mean[0]) ** 2, 2, rtol=0.05)


async def test_a_reason_comes_back_from_the_process() -> None:
    with pytest.raises(Refused, match="no variation"):
        await outlook("ets", 7, np.ones((T, 672)))


async def test_an_answer_that_is_no_forecast_is_refused() -> None:
    with pytest.raises(Refused, match="nonsense"):
        await outlook("ets", 7, np.ones((T, 672)), module="tests.unit.predictor.models.nonsense")
