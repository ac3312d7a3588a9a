"""Traces that a user may have, written as files: the odd, the broken and the plain."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
START_S = 1_700_000_100
DAY_S = 86_400


def tide(days: float, step_s: int, level: float = 100.0, seed: int = 1) -> Doubles:
    """A noisy day."""
    at = np.arange(int(days * DAY_S / step_s)) * step_s
    noise = 1 + 0.1 * np.random.default_rng(seed).standard_normal(len(at))
    return np.asarray(level * (1 + 0.6 * np.sin(2 * np.pi * at / DAY_S)) * noise)


def evenly(step_s: int, count: int) -> NDArray[np.int64]:
    return START_S + np.arange(count, dtype=np.int64) * step_s


def texts(values: Doubles) -> list[str]:
    return ["" if np.isnan(value) else repr(float(value)) for value in values]


def write(
    folder: Path, name: str, times: Sequence[object] | NDArray[np.int64], values: Sequence[str]
) -> Path:
    """A trace of rows as they are given."""
    path = folder / f"{name}.csv.gz"
    rows = "".join(f"{at},{value}\n" for at, value in zip(times, values, strict=True))
    path.write_bytes(gzip.compress(f"timestamp,value\n{rows}".encode(), compresslevel=1))
    return path


def write_even(folder: Path, name: str, step_s: int, values: Doubles) -> Path:
    return write(folder, name, evenly(step_s, len(values)), texts(values))


def _without(values: Doubles, gone: NDArray[np.bool_]) -> Doubles:
    return np.where(gone, np.nan, values)


def _at(values: Doubles, place: int, value: float) -> Doubles:
    return np.where(np.arange(len(values)) == place, value, values)


def write_odd(folder: Path) -> None:
    """All that can be forecast, odd as it may be."""
    steps = {
        "2s": 2,
        "15s": 15,
        "45s": 45,
        "2min": 120,
        "30min": 1800,
        "40min": 2400,
    }
    for name, step_s in steps.items():
        write_even(folder, f"step_{name}", step_s, tide(0.4 if step_s < 15 else 1.6, step_s))
    write_even(folder, "step_hourly", 3600, tide(4, 3600))
    plain = tide(2, 300)
    count, place, random = len(plain), np.arange(len(plain)), np.random.default_rng(7)
    oddities = {
        "7h": plain[:84],
        "plain": plain,
        "half_scattered": _without(plain, random.random(count) < 0.5),
        "half_block": _without(plain, abs(place - count // 2) < count // 4),
        "late": _without(plain, place < count * 5 // 8),
        "ended": _without(plain, place > count // 2),
        "nothing": _without(plain, place >= 0),
        "constant": np.full(count, 7.0),
        "zero": np.zeros(count),
        "zero_then_load": np.where(place < count * 5 // 8, 0.0, plain),
        "spike": _at(plain, count * 5 // 8, 1e12),
        "spike_first": _at(plain, 0, 1e12),
        "tiny": tide(2, 300, 1e-9),
        "tiny_first": _at(plain, 0, 1e-9),
        "large_integers": np.floor(tide(2, 300, 2.0**52)),
        "largest": tide(2, 300, 5e29),
    }
    for name, values in oddities.items():
        write_even(folder, f"odd_{name}", 300, values)
    _write_uneven(folder, plain)


def _write_uneven(folder: Path, plain: Doubles) -> None:
    times, said = evenly(300, len(plain)), texts(plain)
    words = {5: "NaN", 20: "inf", 21: "-inf", 300: "-3", 310: "abc", 311: " ", 312: "1e300", 313: "1_0"}
    write(folder, "text_words", times, [words.get(i, text) for i, text in enumerate(said)])
    kept = np.arange(len(plain)) % 7 != 3
    write(folder, "rows_missing", times[kept], texts(plain[kept]))
    write(folder, "rows_twice", times - 300 * (np.arange(len(times)) == 10), said)
    change = np.where(np.arange(len(plain)) < 400, 300, 600).cumsum()
    write(folder, "rows_slower", START_S + change, said)
