import os

import pytest

from predictor.models.process import WorkerFailed, WorkerSlow, asked


async def test_a_process_that_never_answers_is_killed_and_named() -> None:
    with pytest.raises(WorkerSlow, match=r"hanging, process (\d+), was killed after 1 s") as told:
        await asked("tests.unit.predictor.models.hanging", b"", 1.0)
    pid = int(str(told.value).split("process ")[1].split(",")[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_process_that_ends_without_an_answer_is_told() -> None:
    with pytest.raises(WorkerFailed, match="dying ended with code 3"):
        await asked("tests.unit.predictor.models.dying", b"", 60.0)
