"""The forecasting plane: from minutes to quantiles, from quantiles and policies to decisions.

`grid` names what is forecast, `experts` make points, `conformal` turns past errors into quantiles, `mixing`
weighs the experts, `engine` is the three together, `decide` the pure policy chain, `runner` the loop on the
log. May import `cme.core`, `cme.log`, `cme.runtime`; arrays have the series as their last axis.
"""
