"""Measurements with a bound; each runs as `python -m tests.bench.NAME`."""
