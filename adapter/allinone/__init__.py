"""Everything in one process group on the embedded log: collector and predictor here, the adapter beside them.

`launch` opens sockets and starts the adapter's process, `demo` has workloads to look at, `up` runs it all. May
import every package.
"""
