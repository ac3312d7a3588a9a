"""Writes the golden record: `python -m tests.unit.cme.log.golden > tests/golden/record-v1.hex`.

Only a new format version may change that file, and then under a new name: this one must stay readable.
"""

from pathlib import Path

import numpy as np

from cme.core.batch import Batch, series_ids
from cme.log.record import encode

GOLDEN = Path(__file__).parents[3] / "golden" / "record-v1.hex"
SEQ = 7


def golden_batch() -> Batch:
    """Two rows with a column of every type."""
    return Batch(
        "policies",
        1_750_000_000_123,
        series_ids([1, 2**64 - 1]),
        {
            "float64": np.array([1.5, -0.0], dtype=np.float64),
            "float32": np.array([0.1, np.inf], dtype=np.float32),
            "int64": np.array([-1, 2**63 - 1], dtype=np.int64),
            "uint64": np.array([0, 2**64 - 1], dtype=np.uint64),
            "uint32": np.array([1, 2**32 - 1], dtype=np.uint32),
            "uint8": np.array([0, 255], dtype=np.uint8),
            "text": ("", "grün"),
        },
        key="shop/web",
        epoch=3,
    )


def as_lines(data: bytes) -> str:
    """Hex in lines of 32 bytes."""
    return "".join(f"{data[i : i + 32].hex(' ')}\n" for i in range(0, len(data), 32))


if __name__ == "__main__":
    print(as_lines(encode(golden_batch(), SEQ)), end="")
