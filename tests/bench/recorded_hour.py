"""Live and replay agree over an hour: `python -m tests.bench.recorded_hour [MINUTES]`.

A load that wanders, jumps and falls is measured by `tidecast up` against the real control plane, and a real HPA follows the
number. Then the log is told anew: every decision must be the same to the last bit, and every change of size one that the HPA's
model makes of a number that was served then.
"""

import math
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.components.waiting import until
from tests.e2e.recording import compared, recorded

MINUTES, STEP_S = 60, 7
SEED = 20


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    draws = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plane_folder = folder / "plane"
        plane_folder.mkdir()
        with ControlPlane(plane_folder) as plane, recorded(plane, folder) as (source, followed):
            until("the HPA follows", followed.active, 60)
            end = time.monotonic() + 60 * minutes
            while (left := end - time.monotonic()) > 0:
                wave = 1_500 + 1_200 * math.sin(left / 150)
                source.tell(round(wave * draws.uniform(0.8, 1.25) + (900 if draws.random() < 0.05 else 0), 1))
                time.sleep(STEP_S)
        found = compared(folder)
    print(f"{minutes:g} minutes: {found.decisions} decisions told anew, {len(found.differing)} differ")
    print(f"{found.changes} changes of size, {len(found.unexplained)} not explained by the HPA's model")
    for line in (*found.differing[:20], *found.unexplained[:20]):
        print(f"  {line}")
    return 1 if found.differing or found.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
