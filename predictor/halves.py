"""Float16 as the integers that spell it, because numpy converts real float16 one number at a time.

For numbers that are not negative the integers are in the same order as the numbers, so maxima and medians are taken
of them as they are; what is no number is negative. Half an ulp is .05 %.
"""

import numpy as np
from numpy.typing import NDArray

from predictor.arrays import Floats

Halves = NDArray[np.int16]
DTYPE = "int16"
LARGEST = np.float32(65504)
# Float32 and float16 differ by 112 in the bias of the exponent and by 13 bits of fraction.
_TO_HALF, _FROM_HALF, _BITS = np.float32(2.0**-112), np.float32(2.0**112), 13


def pack(values: Floats) -> Halves:
    """Nearest halves of numbers from 0 on, the largest at most LARGEST; NaN becomes a negative integer."""
    bits = (np.minimum(values, LARGEST) * _TO_HALF).view(np.uint32)
    bits += np.uint32(1 << (_BITS - 1))
    bits >>= np.uint32(_BITS)
    return bits.astype(np.uint16).view(np.int16)


def unpack(halves: Halves) -> Floats:
    """The numbers; of a negative integer something beyond LARGEST."""
    bits = halves.view(np.uint16).astype(np.uint32)
    bits <<= np.uint32(_BITS)
    values = bits.view(np.float32)
    values *= _FROM_HALF
    return values
