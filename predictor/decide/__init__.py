"""What number do we serve? The pure chain: (history, forecast, policy, replicas, now) -> value and reasons.

`rules` are policies as columns, `measured` what is given, `slow` the memory of the scale-down; `needs`, `backlog` and
`replicas` are steps, `chain` is their order. No I/O and no clock: a replay of the same inputs gives the same decisions.
"""
