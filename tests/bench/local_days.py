"""What local days and holidays are worth: `python -m tests.bench.local_days`.

Synthetic loads in hourly beats, pinball(.95) six hours ahead, with the calendar and with plain days of UTC.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from predictor.calendar import Calendar
from tests.unit.predictor.test_calendar import (
    CHANGES,
    HOLIDAY,
    KNOWN,
    Forecasts,
    LoadAt,
    forecasts,
    office,
    pinball,
    weekly,
)


def holiday() -> Iterator[str]:
    both = forecasts(weekly, "UTC", HOLIDAY - timedelta(days=18), 27, KNOWN)
    for label, ahead in (("on a holiday", 0), ("the day after", 1), ("a week after", 7)):
        yield row(label, both, weekly, HOLIDAY + timedelta(days=ahead))


def changes() -> Iterator[str]:
    for zone, (spring, autumn) in CHANGES.items():
        for label, change in ((f"spring, {zone}", spring), (f"autumn, {zone}", autumn)):
            both = forecasts(office, zone, change - timedelta(days=15), 18, Calendar(zone))
            yield row(label, both, office, change + timedelta(days=1))


def row(label: str, both: tuple[Forecasts, Forecasts], load: LoadAt, on: date) -> str:
    known, plain = (pinball(one, load, [on]) for one in both)
    return f"{label:28s}{known:10.1f}{plain:10.1f}"


if __name__ == "__main__":
    print(f"{'pinball(.95), 6 h ahead':28s}{'calendar':>10s}{'plain':>10s}")
    for line in (*holiday(), *changes()):
        print(line, flush=True)
