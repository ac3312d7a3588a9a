"""The forecasting plane: from minutes to quantiles, from quantiles and policies to decisions.

`grid` names what is forecast; `calendar` says which days are alike; `history`, `seasons`, `rhythm` and `features` are what
is known of a series; `pool` what series teach one another; `experts`, `calibration` and `mix` make quantiles; `block` is
their beat, `engine` all blocks; `steps` tells which beat fits a series, `feed` and `fleet` hold an engine for each,
`learner` keeps them; `decide` is the pure policy chain, `runner` the loop on the log. May import `cme.core`, `cme.log`,
`cme.runtime`; arrays have the series as their last axis.
"""

import cme  # noqa: F401 - first of all, as it sets up numpy for the process
