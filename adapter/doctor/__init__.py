"""Whether a cluster and tidecast fit together: `read` asks the cluster, all else is pure, from facts to findings."""
