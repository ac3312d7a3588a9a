"""adapter.hpa against upstream's own code, which a small Go program calls in process, on random cases.

`generator` makes the cases, `upstream` builds and asks the Go program in `go/`, `comparison` counts differences.
"""
