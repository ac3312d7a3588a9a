"""What a forecast makes of a load that was cut off: python -m tests.bench.saturation

A tide of 500 to 1500, from the sixth day on cut at 1200. Of the largest load ahead the .95 quantile at the peak of the sixth
and the seventh day: where the cut is flagged as saturated, where it is not, and where nothing is cut.
"""

import sys

import numpy as np

from predictor.engine import Engine
from predictor.grid import BEATS_PER_DAY, LEADS_MS, MAX
from predictor.history import Bin

_CUT, _WHOLE_DAYS = 1200, 5
_ROW = "{:>4s} {:>5s}" + "{:>10s}" * 4


def main() -> None:
    beats = np.arange((_WHOLE_DAYS + 2) * BEATS_PER_DAY)
    wanted = 1000 + 500 * np.sin(2 * np.pi * beats / BEATS_PER_DAY) + beats * 7919 % 41
    engine = Engine()
    engine.rows(range(3))
    rows: list[tuple[str, ...]] = [("day", "lead", "wanted", "flagged", "silent", "not cut")]
    for beat, load in enumerate(wanted):
        served = min(load, _CUT) if beat >= _WHOLE_DAYS * BEATS_PER_DAY else load
        x = np.array([served, served, load], dtype=np.float32)
        upper = engine.step(beat, Bin(x, x, x, saturated=np.array([served < load, False, False]))).values[
            MAX, :, 2
        ]
        day, time = divmod(beat, BEATS_PER_DAY)
        if day >= _WHOLE_DAYS and time == BEATS_PER_DAY // 4:
            for lead, ms in enumerate(LEADS_MS):
                figures = (f"{value:.0f}" for value in (load, *upper[lead]))
                rows.append((f"{day + 1}", f"{ms // 60_000}m", *figures))
    sys.stdout.write("\n".join(_ROW.format(*row) for row in rows) + "\n")


if __name__ == "__main__":
    main()
