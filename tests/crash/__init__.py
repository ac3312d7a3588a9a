"""Processes killed while they write, and files damaged while they rest: what `append` returned for stays."""
