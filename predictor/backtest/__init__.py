"""The production engine replayed over a folder of traces: what would it have forecast, and how good was that?

`traces` reads them into beats, `replay` steps the engines, `table` scores what came out.
"""

from predictor.backtest.replay import run

__all__ = ["run"]
