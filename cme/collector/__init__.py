"""The collection plane's loop: read sources, turn counters into rates, sum parts, append one batch a tick.

`sampling` and `rollup` are pure; `loop` is their asyncio shell; `replicas` reads the cluster.
"""
