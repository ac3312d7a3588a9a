"""How a step says what it did."""

import numpy as np
from numpy.typing import NDArray

from cme.core.reasons import Reason
from predictor.decide.rules import Bits


def mark(reasons: Bits, where: NDArray[np.bool_], reason: Reason) -> None:
    """Add a reason to some rows."""
    reasons[where] |= np.int64(reason)
