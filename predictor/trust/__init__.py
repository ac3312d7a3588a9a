"""Whether a forecast deserves to be followed: what became of it, beside what a simple opponent would have said.

`baseline` is the opponent, `record` the sums of a day, `judge` the pure judgment, `verdict` all three together, `bounds` what a
saturated workload still tells, `keeper` their life in a block, `export` the fleet's figures. Nothing here makes or changes a
forecast.
"""
