"""The collection plane's loop: read sources, turn counters into rates, sum parts, append one batch a tick.

`readers` opens sources, `sampling` and `rollup` are pure, `records` forms what is written, `loop` is their
asyncio shell; `replicas` asks the cluster what runs.
"""
