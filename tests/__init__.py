"""Tests mirror the packages: `unit/` needs nothing but Python; `contract/` holds the laws every log, source
and expert obeys; `components/` starts real servers for `e2e/`; `bench/` prints figures and asserts no time."""
