"""Real components for tests: built or found, started on loopback, waited for, stopped.

`cache` keeps what was built, `golang` and `maven` build, `tools` says what the machine lacks, `process` runs one
program, `report` remembers what ran; each other module is one component.
"""
