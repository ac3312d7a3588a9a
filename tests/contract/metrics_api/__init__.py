"""The contract of the metrics APIs, as requests and laws that any adapter can be held to.

`python -m tests.contract.metrics_api URL` does so from outside, with no knowledge of the adapter: `client` asks,
`found` learns which metrics there are, `cases` is the table of requests, `laws` say what an answer must be,
`verdicts` runs the table, `differences` lists what is known to differ and why. Needs nothing but Python.
"""
