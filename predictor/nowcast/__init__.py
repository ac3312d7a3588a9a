"""The nowcast: the largest sample of the next two minutes, told at every tick, where the engine speaks once a minute.

`sight` is what it is told from, `regression` turns that into quantiles and learns from what came, `trail` remembers the
newest ticks and minutes, `nowcast` is the one of a running predictor. Values are square roots of loads.
"""
