"""One HTML file that needs nothing else: figures, reliability diagrams, forecast bands against the truth."""

from collections.abc import Iterable
from importlib.resources import files

from adapter.backtest.results import Result
from adapter.web.standalone import standalone


def html(results: Iterable[Result], title: str, table: str) -> str:
    """The report of some series, and the table of all of them."""
    data = {"title": title, "table": table, "series": [result.document() for result in results]}
    return standalone(files("adapter.backtest") / "report.html", data)
