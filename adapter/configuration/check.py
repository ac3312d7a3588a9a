"""Every problem of some files at once, each with its place; `parse_configuration` stops at the first."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapter.configuration.yaml_file import InvalidYaml, YamlDocument, name_of, read_documents
from cme.core.documents import FieldPath, InvalidDocument, parse_document
from cme.core.errors import InvalidInput, shortened
from cme.core.policy import ScalingPolicy
from cme.core.settings import Settings, clashes
from cme.sources.registry import connection_of, parse_source


@dataclass(frozen=True)
class Problem:
    """What is wrong and what to do, where: `line` and `document` count from 1, 0 is the file as a whole."""

    file: str
    line: int
    document: int
    path: FieldPath
    text: str

    def __str__(self) -> str:
        places = [
            f"{self.file}:{self.line}" if self.line else self.file,
            f"document {self.document}" if self.document else "",
            ".".join(map(str, self.path)),
        ]
        return ": ".join([*filter(None, places), self.text])


@dataclass(frozen=True)
class Report:
    """A line for each document without a problem, what is to be thought of there, and all problems of the others."""

    valid: Sequence[str]
    notes: Sequence[Problem]
    problems: Sequence[Problem]


def check(paths: Iterable[Path]) -> Report:
    """All files as one configuration: each document by its model, each source by its own, then what they share.

    Whether a policy may use the connection that it names is known only beside a Settings document. Raises
    InvalidInput when a file can't be read.
    """
    checked = _Checked()
    for path in paths:
        checked.read(path)
    checked.sources()
    checked.side_by_side()
    checked.asleep()
    return checked.report()


@dataclass
class _Checked:
    """What was found so far; `fitting` are the documents that fit their model, in their order."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    fitting: list[tuple[YamlDocument, ScalingPolicy | Settings]] = field(default_factory=list)

    @property
    def policies(self) -> list[tuple[YamlDocument, ScalingPolicy]]:
        return [(document, model) for document, model in self.fitting if isinstance(model, ScalingPolicy)]

    @property
    def settings(self) -> list[tuple[YamlDocument, Settings]]:
        return [(document, model) for document, model in self.fitting if isinstance(model, Settings)]

    def read(self, path: Path) -> None:
        name = name_of(path)
        try:
            documents = read_documents(path)
        except InvalidYaml as error:
            self.problems.append(Problem(name, error.line, 0, (), f"{error.what}; {error.remedy}"))
            return
        if not documents:
            self.problems.append(
                Problem(name, 0, 0, (), "it holds no document; write a ScalingPolicy or Settings")
            )
        for document in documents:
            self._parse(document)

    def sources(self) -> None:
        settings = [model for _, model in self.settings[:1]]
        for document, policy in self.policies:
            for position, signal in enumerate(policy.spec.signals):
                kind = next(iter(signal.source))
                with self._collecting(document, ("spec", "signals", position, "source", kind)):
                    _, spec = parse_source(signal.source, document.file)
                    for one in settings:
                        connection_of(spec, one.connections, policy.metadata.namespace, document.file)

    def side_by_side(self) -> None:
        policies = self.policies
        for earlier, later, shared in clashes([policy for _, policy in policies]):
            first, document = policies[earlier][0], policies[later][0]
            what = f"{shared} is that of {first.file}, document {first.number}, too; keep one policy per workload"
            self._add(document, ("metadata", "name"), what)
        for document, _ in self.settings[1:]:
            self._add(document, ("kind",), "a second Settings document; keep one")

    def asleep(self) -> None:
        """A policy that may have no replicas needs a signal that exists without pods."""
        for document, policy in self.policies:
            kinds = {next(iter(signal.source)) for signal in policy.spec.signals}
            if policy.spec.limits.min_replicas == 0 and kinds == {"scrape"}:
                path = ("spec", "limits", "minReplicas")
                text = (
                    "note: if the scraped targets are the workload's own pods, there is no signal at 0 replicas and "
                    "nothing scales it up again; measure something that exists without pods, like a queue"
                )
                self.notes.append(Problem(document.file, document.line(path), document.number, path, text))

    def report(self) -> Report:
        faulty = {(problem.file, problem.document) for problem in self.problems}
        lines = [
            f"{document.file}: document {document.number}: {_named(model)} is valid"
            for document, model in self.fitting
            if (document.file, document.number) not in faulty
        ]
        return Report(lines, self.notes, self.problems)

    def _parse(self, document: YamlDocument) -> None:
        kind = document.data.get("kind") if isinstance(document.data, dict) else None
        with self._collecting(document, ()):
            if kind == "ScalingPolicy":
                self.fitting.append((document, parse_document(ScalingPolicy, document.data, document.file)))
            elif kind == "Settings":
                self.fitting.append((document, parse_document(Settings, document.data, document.file)))
            else:
                what = shortened(f"unknown kind {kind!r}")
                self._add(document, ("kind",), f"{what}; write ScalingPolicy or Settings")

    @contextlib.contextmanager
    def _collecting(self, document: YamlDocument, path: FieldPath) -> Iterator[None]:
        """What is refused within is a problem of the field at `path`, or of those within it."""
        try:
            yield
        except InvalidDocument as error:
            for fault in error.faults:
                self._add(document, (*path, *fault.path), fault.problem)
        except InvalidInput as error:
            self._add(document, path, f"{error.what}; {error.remedy}")

    def _add(self, document: YamlDocument, path: FieldPath, text: str) -> None:
        self.problems.append(Problem(document.file, document.line(path), document.number, path, text))


def _named(model: ScalingPolicy | Settings) -> str:
    return f"ScalingPolicy {model.key}" if isinstance(model, ScalingPolicy) else "Settings"
