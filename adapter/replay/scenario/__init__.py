"""Scenarios as text: what happens to a workload, and what is expected of it then. docs/scenarios.md is the language.

`lines` are statements, `grammar` what each may look like, `clock`, `shape` and `expectation` their parts; `given`, `frame`,
`loads` and `build` make a `scenario` of them; `play` has it played by `adapter.replay`, `judge` finds what is not as
expected, `report` says so. Nothing here forecasts, decides or computes replicas.
"""
