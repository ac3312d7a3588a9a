"""Serving on the real control plane: one deployed tidecast for all, and numbers that the test sets."""
