"""From the experts' quantiles to one: weights, caps and coverage learned from losses that have come due."""
