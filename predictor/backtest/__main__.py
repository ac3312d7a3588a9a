"""python -m predictor.backtest TRACES --out DIR [--jobs N]"""

import argparse
import sys
from pathlib import Path

from predictor.backtest.replay import run
from predictor.backtest.table import printed, scored


def _show(done: int, total: int) -> None:
    if done % 288 == 0 or done == total:
        sys.stderr.write(f"\r{done * 100 // total:3d} %")
        sys.stderr.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    traces = run(args.traces, args.out, args.jobs, _show)
    sys.stdout.write("\n" + printed(scored(traces, args.out)) + "\n")


if __name__ == "__main__":
    main()
