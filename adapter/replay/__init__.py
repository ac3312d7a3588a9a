"""What-if: a past through the production engine, chain and HPA, with a model of the cluster, on a clock of its own.

`load` is what came, `forecasts` what the engine said of it, `cluster` the model of pods, `contender` who is compared,
`simulate` the syncs one after the other, `outcome` what each would have cost and missed, `study` all of them side by
side; `table` and `report` show it (`report` with the *.js that stand beside it). Nothing here forecasts, decides or
computes replicas: that is done by `predictor` and `adapter.hpa`. May import every package.
"""
