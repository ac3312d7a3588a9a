"""What is told of scenarios: a line of what each cost and missed, and of each failure what there was instead."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from adapter.replay.scenario.figures import Whole
from adapter.replay.scenario.judge import Failure
from adapter.replay.scenario.play import Moment
from cme.core.reasons import codes, explain


def summary(whole: Whole) -> str:
    """Figures of the whole run."""
    found = whole.outcome
    return (
        f"{found.hours:g} h cost {found.replica_hours:,.0f} replica-hours, {_saved(whole)} the peak's "
        f"{found.peak} replicas all the time; "
        f"short {_percent(whole.short_percent, 3)} ({found.minutes_short:,.1f} minutes), "
        f"over {_percent(whole.over_percent, 1)}, "
        f"longest wait {found.longest_delay_s:,.1f} s, {found.changes} changes, {found.flaps} flaps"
    )


def _saved(whole: Whole) -> str:
    """In percent, and on average."""
    number, unit = whole.outcome.saved_replicas, "replicas"
    if whole.cores is not None:
        number, unit = whole.saved_cores, "cores"
    word = "less" if number >= 0 else "more"
    return f"{abs(whole.saved_percent):.1f} % ({abs(number):,.1f} {unit}) {word} than"


def _percent(value: float, digits: int) -> str:
    return "-" if value != value else f"{value:.{digits}f} %"


def told(failure: Failure, zone: ZoneInfo) -> Iterator[str]:
    """Lines."""
    yield f"{failure.line.file}:{failure.line.number}: {failure.line.text}"
    moment = failure.moment
    if moment is None:
        yield f"  found {failure.found}"
        return
    because = ", ".join(codes(moment.reasons)) or "no reason: the HPA asks for no decision"
    yield f"  found {failure.found} because {because} at {_shown(moment, zone)}"
    yield from (f"  - {sentence}" for sentence in explain(moment.reasons))
    yield f"  HPA: {moment.why}"
    yield from (f"  {line}" for line in _table(failure.around, moment, zone))


def _table(moments: Sequence[Moment], marked: Moment, zone: ZoneInfo) -> Iterator[str]:
    """A row for each, the one that is not as expected with a mark."""
    forecasts = (f"{one}_predicted" for one in marked.predicted)
    rows = [["", "time", "replicas", "ready", "served", *marked.values, *forecasts, "reasons"]]
    for one in moments:
        numbers = [one.replicas, one.ready, one.served, *one.values.values(), *one.predicted.values()]
        mark = ">" if one is marked else ""
        rows.append([mark, _shown(one, zone), *map(_number, numbers), ", ".join(codes(one.reasons))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.6g}"


def _shown(moment: Moment, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(moment.now_ms / 1000, zone).isoformat(" ")
