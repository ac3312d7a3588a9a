"""Decompositions in a process of their own: `python -m predictor.models.worker`, a matrix in, JSON out.

The caller pays neither for importing statsmodels nor for the fits, and takes the process down with itself: it reads
everything from its standard input first and writes once.
"""

import asyncio
import contextlib
import io
import json
import os
import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cme.core.errors import InvalidInput, TidecastError

NICENESS = 10
"""A decomposition is never in a hurry: the engine's beat goes first."""


class WorkerFailed(TidecastError):
    """The worker ended without an answer."""


async def decompose_all(last_end_ms: int, hours: NDArray[np.float32]) -> list[dict[str, Any] | None]:
    """The parts of each series of hourly means [hours, series]; None where there is too little. Raises WorkerFailed."""
    buffer = io.BytesIO()
    np.savez(buffer, last_end_ms=np.array(last_end_ms), hours=hours)
    command = (sys.executable, "-m", "predictor.models.worker")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
    try:
        output, _ = await process.communicate(buffer.getvalue())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise WorkerFailed(f"the decomposition ended with code {process.returncode}")
    found: list[dict[str, Any] | None] = json.loads(output)
    return found


def main() -> None:
    from predictor.models.parts import parts_of

    os.nice(NICENESS)
    warnings.simplefilter("ignore", RuntimeWarning)  # of numpy: means of hours that are all gaps
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        last_end_ms, hours = int(given["last_end_ms"]), given["hours"].astype(float)
    found: list[dict[str, Any] | None] = []
    for column in hours.T:
        try:
            found.append(parts_of(last_end_ms, column))
        except InvalidInput:
            found.append(None)
    # Unbuffered, so that nothing is left to be written at the exit when nobody waits for the answer any more.
    with contextlib.suppress(BrokenPipeError), os.fdopen(sys.stdout.fileno(), "wb", 0) as output:
        output.write(json.dumps(found).encode())


if __name__ == "__main__":
    main()
