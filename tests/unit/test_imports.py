"""The import rule of docs/architecture.md: layers import downwards only, and heavy packages have one door."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The longest matching prefix names the layer of a module.
LAYERS = {
    "cme": "core",
    "cme.core": "core",
    "cme.log": "base",
    "cme.runtime": "base",
    "cme.kube": "base",
    "cme.kafka": "base",
    "cme.sources": "collector",
    "cme.collector": "collector",
    "cme.policies": "collector",
    "predictor": "predictor",
    "adapter": "adapter",
    "adapter.replay": "top",
    "adapter.allinone": "top",
    "adapter.backtest": "top",
    "adapter.cli": "top",
    "adapter.configuration": "top",
}
MAY_IMPORT = {
    "core": {"core"},
    "base": {"core", "base"},
    "collector": {"core", "base", "collector"},
    "predictor": {"core", "base", "predictor"},
    "adapter": {"core", "base", "adapter"},
    "top": {"core", "base", "collector", "predictor", "adapter", "top"},
}
# Third-party package -> the modules that may import it: what a process does not need it must not pay for.
DOORS = {
    "kubernetes": ("cme.kube",),
    "pandas": ("predictor.models",),
    "kafka": ("cme.kafka", "cme.log.kafka", "cme.sources.kafka"),
    "statsmodels": ("predictor.models",),
}
CORE_MAY_IMPORT = {"numpy", "pydantic", "cronsim", "annotated_types"}


def layer_of(module: str) -> str:
    prefixes = [p for p in LAYERS if module == p or module.startswith(p + ".")]
    return LAYERS[max(prefixes, key=len)]


def within(module: str, doors: tuple[str, ...]) -> bool:
    return any(module == door or module.startswith(door + ".") for door in doors)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("cme", "predictor", "adapter"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction; write the full name"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def violations(module: str, tree: ast.Module, stdlib: frozenset[str]) -> Iterator[str]:
    for target in imported(tree):
        top = target.split(".")[0]
        if top in ("cme", "predictor", "adapter"):
            if layer_of(target) not in MAY_IMPORT[layer_of(module)]:
                yield f"{module} ({layer_of(module)}) imports {target} ({layer_of(target)})"
        elif top in DOORS and not within(module, DOORS[top]):
            yield f"{module} imports {top}; only {', '.join(DOORS[top])} may"
        elif within(module, ("cme.core",)) and top not in CORE_MAY_IMPORT | stdlib:
            yield f"{module} imports {top}; cme.core may import only {sorted(CORE_MAY_IMPORT)}"


def test_imports_point_one_way(stdlib: frozenset[str]) -> None:
    found = [v for module, tree in modules() for v in violations(module, tree, stdlib)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("cme.core.identity", "import aiohttp"),
        ("cme.core.identity", "from cme.log import batch"),
        ("cme.collector", "from predictor import engine"),
        ("adapter.view", "from cme import collector"),
        ("predictor.engine", "import statsmodels.api"),
        ("cme.collector", "import kafka"),
    ],
)
def test_the_rule_can_fail(module: str, code: str, stdlib: frozenset[str]) -> None:
    assert list(violations(module, ast.parse(code), stdlib))


@pytest.fixture
def stdlib() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


@pytest.mark.parametrize(
    ("process", "heavy"),
    [
        ("adapter.server", {"statsmodels", "scipy", "kafka", "kubernetes", "predictor"}),
        ("cme.collector.loop", {"statsmodels", "scipy", "kafka", "kubernetes", "predictor", "adapter"}),
        ("predictor.runner", {"statsmodels", "scipy", "kafka", "kubernetes", "adapter"}),
    ],
)
def test_a_process_loads_nothing_that_it_does_not_need(process: str, heavy: set[str]) -> None:
    program = f"import sys, {process}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not heavy & set(loaded.stdout.split())
