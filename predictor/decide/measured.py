"""What the chain is given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.decide.rules import Doubles


@dataclass(frozen=True)
class Measured:
    """What is known of each signal row now; NaN where nothing is."""

    raw: Doubles
    raw_ms: NDArray[np.int64]  # the sample's time
    flags: NDArray[np.uint8]
    lead_ms: Doubles  # how far ahead is looked
    lead_unlearnt: NDArray[np.bool_]  # it is the default, for no start of a replica has been seen
    predicted: Doubles  # the policy's quantile of the largest load within its lead
    soon: Doubles  # the same of the nowcast, within two minutes; NaN where that says nothing
    predicted_ms: NDArray[np.int64]  # when it was made
    uncalibrated: NDArray[np.bool_]
    capped: NDArray[np.bool_]  # a quantile of .99 instead of a higher one
    causes: NDArray[np.uint8]  # `Cause`s for which the forecast is not trusted; 0: it is
    again: Doubles  # as `predicted`, of the largest load within the hold time; NaN where that is not trusted
    drain: Doubles  # of a backlog: items/s that one replica gets through, NaN where that is not learnt


@dataclass(frozen=True)
class Limits:
    """From the settings: how old a value may be."""

    signal_stale_ms: int
    forecast_stale_ms: int
