"""Damage to bytes and texts, by a seeded chance."""

import random

STRANGE = (
    "\x00", "\r\n", "\n", "\t", " ", "%", "%0a", "%0d%0a", "%00", "%ff", "%2F", "%2e%2e", "%zz", "..", ".", "*", "//", "?", "#",
    "&", "=", ";", ",", ":", "!", "(", ")", "<", ">", '"', "'", "\\", "{", "}", "[", "]", "é", "\ud7ff", "🙂", "\u202e", "٣",
    "NaN", "-1", "1e400", "9" * 30, "in (", "notin", "a" * 64, "a" * 300,
)  # fmt: skip


def text(chance: random.Random, whole: str) -> str:
    """`whole` with a stretch of it dropped, doubled, or replaced by something strange."""
    start = chance.randint(0, len(whole))
    end = min(len(whole), start + chance.randint(0, 8))
    new = chance.choice(
        ("", whole[start:end] * 2, chance.choice(STRANGE), "".join(chance.choices(STRANGE, k=3)))
    )
    return whole[:start] + new + whole[end:]


def data(chance: random.Random, whole: bytes) -> bytes:
    """`whole` cut off, with bytes flipped, put in or taken out, or with a part of itself put in again."""
    at = chance.randint(0, len(whole))
    end = min(len(whole), at + chance.randint(1, 16))
    match chance.randrange(6):
        case 0:
            return whole[:at]
        case 1:
            return whole[:at] + bytes(b ^ 1 << chance.randrange(8) for b in whole[at:end]) + whole[end:]
        case 2:
            return whole[:at] + chance.randbytes(chance.randint(1, 8)) + whole[at:]
        case 3:
            return whole[:at] + whole[end:]
        case 4:
            other = chance.randint(0, len(whole))
            return whole[:at] + whole[other : other + chance.randint(1, 64)] + whole[at:]
        case _:
            return whole.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\n ")), chance.randint(1, 3))
