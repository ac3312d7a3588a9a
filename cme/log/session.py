"""One caller at a time in one transaction, and a second try after the file was found damaged and mended."""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from cme.log.database import damage_told, failure
from cme.log.protocol import Damage, LogFailed
from cme.log.statements import Malformed, last_seq
from cme.log.store import Store, Writer

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Session:
    """`turn` is held during every use of the connection; who needs several runs in a row takes it around them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.turn = threading.RLock()
        self._closed = False
        self._damages: dict[str, Damage] = {}

    @property
    def damages(self) -> Sequence[Damage]:
        with self.turn:
            return list(self._damages.values())

    def begin(self) -> None:
        """Check, create or repair what the store needs. Raises LogFailed."""
        with self.turn:
            if isinstance(self.store, Writer):
                with self._clear_errors():
                    self._announce(self.store.begin())
            last = self.run(last_seq)
            if self.store.writable:
                self.store.acknowledge(last)

    def run(self, work: Callable[[sqlite3.Connection], T], *, write: bool = False) -> T:
        """`work` in one transaction: all of it or nothing. Raises LogFailed, and what `work` raises itself."""
        with self.turn:
            try:
                with self._clear_errors():
                    return self._attempt(work, write)
            except Malformed as error:
                problem = str(error)
            try:
                with self._clear_errors():
                    self._announce(self.store.mend(problem))
                    return self._attempt(work, write)
            except Malformed as error:
                raise LogFailed(f"{self.store.path}: {error}; restore it or choose another --data") from error

    def note(self, damages: Iterable[Damage]) -> None:
        """Remember what was found damaged."""
        with self.turn:
            self._damages.update({str(damage): damage for damage in damages})

    def close(self) -> None:
        with self.turn:
            if not self._closed:
                self._closed = True
                self.store.close()

    def _attempt(self, work: Callable[[sqlite3.Connection], T], write: bool) -> T:
        if self._closed:
            raise LogFailed(f"{self.store.path} is closed")
        with damage_told():
            db = self.store.connection()
            try:
                db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                result = work(db)
                db.execute("COMMIT")
                return result
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    def _announce(self, damages: Sequence[Damage]) -> None:
        self.note(damages)
        for damage in damages:
            _log.error("%s", damage)

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """What a person can mend as LogFailed."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise failure(self.store.path, error) from error
