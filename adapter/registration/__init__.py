"""Who serves the metrics groups of a cluster: the rule whether that may be us, our APIServices, and their upkeep."""
