"""One HTML file that needs nothing else: figures, reliability diagrams, forecast bands against the truth."""

import json
from collections.abc import Iterable
from importlib.resources import files
from string import Template

from adapter.backtest.results import Result

_VENDOR = files("adapter.web") / "static" / "vendor"


def html(results: Iterable[Result], title: str, table: str) -> str:
    """The report of some series, and the table of all of them."""
    data = json.dumps({"title": title, "table": table, "series": [result.document() for result in results]})
    page = Template((files("adapter.backtest") / "report.html").read_text())
    return page.substitute(
        # A name from outside must not be able to end the script that holds it.
        data=data.replace("<", "\\u003c"),
        script=(_VENDOR / "uPlot.iife.min.js").read_text(),
        style=(_VENDOR / "uPlot.min.css").read_text(),
    )
