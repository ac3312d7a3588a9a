"""What runs as processes: `up`, everything in one process group on the embedded log; `shared`, collector, predictor or all on a
log that several write; `serve`, an adapter alone.

`collecting` and `predicting` are the work of a role on one log, `roles` on the partitions of another, `shares` which
partitions a process works on, `cluster` what is
read of a cluster and told to it, `served_log` the log for followers, `ops` what a process tells of itself, `launch` opens sockets
and starts the adapter's process, `demo` has workloads to look at. May import every package.
"""
