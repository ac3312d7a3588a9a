"""On the path of a process whose clock is faked: libfaketime 0.9.10 lets an absolute sleep fail, and Python's are such."""

import threading
import time


def sleep(seconds: float) -> None:
    threading.Event().wait(seconds)


time.sleep = sleep  # type: ignore[assignment]
