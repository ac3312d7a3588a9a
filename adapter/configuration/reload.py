"""The policies of a configuration file, read again whenever it changes; a broken file keeps the last good ones."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapter.configuration.load import read_configuration
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy
from cme.core.settings import Configuration
from cme.policies.standing import Fate, Standing, check
from cme.runtime.telemetry import CollectorTelemetry

log = logging.getLogger("tidecast.policies")


class PolicyFile:
    """Its settings count at the start only."""

    def __init__(
        self, configuration: Configuration, more: Sequence[ScalingPolicy], telemetry: CollectorTelemetry
    ) -> None:
        """`configuration` is what the file held when it was read; `more` stand before its policies for good."""
        self._path, self._settings, self._more = configuration.file, configuration.settings, more
        self._telemetry = telemetry
        self._seen = _content(self._path)
        self._policies = configuration.policies
        self._problem = ""
        telemetry.configuration_valid.set(1)

    @property
    def standings(self) -> list[Standing]:
        """Of each policy in its order; while the file is broken they say so."""
        good = [Standing.valid(policy) for policy in self._policies]
        if self._problem:
            good = [replace(one, fate=Fate.INVALID, problem=self._problem) for one in good]
        return [*map(Standing.valid, self._more), *good]

    def look(self) -> bool:
        """Read it again if its bytes have changed; returns whether the standings have."""
        content = _content(self._path)
        if content == self._seen:
            return False
        self._seen, before = content, self.standings
        try:
            self._policies, self._problem = self._read(), ""
        except InvalidInput as error:
            self._problem = str(error)
            log.error("%s; its policies stay as they last were good", error)
        self._telemetry.configuration_valid.set(not self._problem)
        return self.standings != before

    def _read(self) -> tuple[ScalingPolicy, ...]:
        found = read_configuration(self._path, {})
        for policy in found.policies:
            check(policy, self._settings)
        return found.policies


def _content(path: Path | None) -> bytes | None:
    """None where there is nothing to read; what is wrong with it a read says."""
    try:
        return path.read_bytes() if path else None
    except OSError:
        return None
