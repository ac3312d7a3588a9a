"""A process for one question: bytes in on its standard input, bytes out once.

The caller pays neither for importing statsmodels nor for the fits. It takes the process down with itself or when it
lasts too long; a process whose caller is gone ends with its own limit of processor time.
"""

import asyncio
import contextlib
import os
import resource
import sys
import warnings
from collections.abc import Callable

from cme.core.errors import TidecastError

NICENESS = 10
"""A model is never in a hurry: the engine's beat goes first."""
CPU_SECONDS = 900


class WorkerFailed(TidecastError):
    """The worker ended without an answer."""


class WorkerSlow(WorkerFailed):
    """The worker was killed because it took too long."""


async def asked(module: str, question: bytes, limit_s: float) -> bytes:
    """The answer of `python -m module`, killed after `limit_s` seconds. Raises WorkerFailed."""
    command = (sys.executable, "-m", module)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
    try:
        async with asyncio.timeout(limit_s):
            output, _ = await process.communicate(question)
    except TimeoutError:
        raise WorkerSlow(f"{module}, process {process.pid}, was killed after {limit_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise WorkerFailed(f"{module} ended with code {process.returncode}")
    return output


def answer(made: Callable[[bytes], bytes]) -> None:
    """What the module of such a process does."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    warnings.simplefilter("ignore")  # of the models; what matters of them is checked on their results
    found = made(sys.stdin.buffer.read())
    # Unbuffered, so that nothing is left to be written at the exit when nobody waits for the answer any more.
    with contextlib.suppress(BrokenPipeError), os.fdopen(sys.stdout.fileno(), "wb", 0) as output:
        output.write(found)
