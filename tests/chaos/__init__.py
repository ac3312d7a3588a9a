"""Real processes under faults: killed, stopped, with clocks that jump and disks that fail, while the metrics API is asked
without a pause. What was acknowledged stays, nothing counts twice, and no number is wrong or older than it says."""
