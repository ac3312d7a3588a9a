"""Seeded damage to what comes from outside, requests and policies: only the answers that are documented, nothing else.

A module each makes the damaged inputs, states the laws, and runs so many rounds of them; `test_full_counts` has the counts
of `make slow`. What a failure prints is the input itself; TIDECAST_SEED changes the seed.
"""

import os

BASE_SEED = int(os.environ.get("TIDECAST_SEED", "20261128"))
"""Each round's own seed follows from it."""
