"""Tests mirror the packages: `unit/` needs nothing but Python; `contract/` holds the laws every log, source
and expert obeys; `components/` starts real servers for `e2e/`; `bench/` prints figures and asserts no time."""

import cme  # noqa: F401 - before numpy, as in every program: it sets up numpy's threads
