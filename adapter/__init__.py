"""Answers the HPA, people and Prometheus from a picture of the log, and of the pods that run, in memory.

It decides nothing but whether a number is fresh enough to serve, and asks nobody while a request waits. May
import `cme.core`, `cme.log`, `cme.runtime` and `cme.kube`; only `allinone`, `backtest`,
`configuration` and `cli` see all packages.
"""

import cme  # noqa: F401 - first of all, as it sets up numpy for the process
