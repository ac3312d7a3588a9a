"""Scenarios as text: what happens to a workload, and what is expected of it then. docs/scenarios.md is the language.

`lines` are statements, `grammar` what each may look like, `clock`, `shape` and `expectation` their parts, `build` what they
say together, `play` the past that is played by `adapter.replay`, `judge` what of it is not as expected, `report` how that
is told. Nothing here forecasts, decides or computes replicas.
"""
