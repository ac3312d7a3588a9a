"""A study as a table for the terminal."""

from rich.console import Console
from rich.table import Table

from adapter.replay.study import Result, Study

_COLUMNS = (
    "hours",
    "cost",
    "cores saved",
    "short %",
    "over %",
    "minutes short",
    "worst min %",
    "wait s",
    "changes",
    "flaps",
)


WIDTH = 120
"""Of a table with the longest names; a narrower terminal wraps it, for no figure is cut."""


def show(study: Study, price: float, cores: float) -> None:
    """Print it: a row for each contender."""
    table = Table(title=study.workload, title_justify="left", box=None, pad_edge=False)
    table.add_column("policy", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for result in study.results:
        table.add_row(result.name, *_figures(result, price, cores))
    Console(width=WIDTH).print(table)


def _figures(result: Result, price: float, cores: float) -> tuple[str, ...]:
    found = result.outcome
    return (
        f"{found.replica_hours:,.0f}",
        f"{found.replica_hours * price:,.2f}",
        f"{found.saved_replicas * cores:,.1f}",
        f"{100 * found.short:.3f}",
        f"{100 * found.over:.1f}",
        f"{found.minutes_short:,.0f}",
        f"{100 * found.worst_minute:.1f}",
        f"{found.longest_delay_s:,.1f}",
        str(found.changes),
        str(found.flaps),
    )
