"""The collection plane (custom metrics engine) and what all planes share.

`core` holds values and pure rules, `log` the one durable thing, `sources` what can be measured,
`runtime` the asyncio shell. Nothing in here knows the predictor or the adapter.
"""

import os

# Before numpy is loaded: the engine's matrices are small, and threads that wait for one another make it slower by
# a multiple, the more so on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
