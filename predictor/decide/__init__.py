"""What number do we serve? The pure chain: (history, forecast, policy, replicas, now) -> value and reasons.

`rules` are policies as columns, `slow` the memory of the scale-down, `chain` the steps in their order. No
I/O and no clock: a replay of the same inputs gives the same decisions.
"""
