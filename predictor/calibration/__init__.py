"""From points to quantiles: how far truths usually lie above a point, by its own past errors."""
