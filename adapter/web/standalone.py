"""One HTML file that needs nothing else: data, uPlot and styles are within it."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

from pydantic_core import to_json

STATIC = files("adapter.web") / "static"
_VENDOR = STATIC / "vendor"


def standalone(template: Traversable, data: Any, **parts: str) -> str:
    """The template with `$data` as JSON (numbers that are none are null), uPlot as `$script` and `$style`, and `parts`."""
    return Template(template.read_text()).substitute(
        # A name from outside must not be able to end the script that holds it.
        data=to_json(data, inf_nan_mode="null").decode().replace("<", "\\u003c"),
        script=(_VENDOR / "uPlot.iife.min.js").read_text(),
        style=(_VENDOR / "uPlot.min.css").read_text(),
        **parts,
    )
