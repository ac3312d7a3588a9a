"""`python -m adapter.hpa.cases FILE...`: run files of cases; exit code 1 if any fails."""

import json
import sys
from pathlib import Path

import click

from adapter.hpa.cases.check import check
from adapter.hpa.cases.fields import Malformed


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(files: tuple[Path, ...]) -> None:
    """Run the cases of FILES against adapter.hpa and print every difference."""
    passed = failed = 0
    for file in files:
        try:
            cases = read(file)
        except Malformed as error:
            raise click.ClickException(f"{file}: {error}") from None
        for place, case in enumerate(cases, start=1):
            verdict = check(case, place)
            for line in verdict.differences:
                click.echo(f"{verdict.id}: {line}")
            for line in verdict.remarks:
                click.echo(f"{verdict.id}: note: {line}")
            failed += bool(verdict.differences)
            passed += not verdict.differences
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def read(file: Path) -> list[object]:
    """The cases of a file. Raises Malformed."""
    try:
        document = json.loads(file.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Malformed(f"can't be read: {error}") from None
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list) or not cases:
        raise Malformed("has no list of cases under `cases`")
    return cases


if __name__ == "__main__":
    main()
