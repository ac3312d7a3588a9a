"""An identity, as Kubernetes has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
MASTERS = "system:masters"


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for equal identities."""
        return self.name, self.groups, self.uid, tuple(sorted(self.extra.items()))

    def authenticated(self) -> "User":
        """With the group that every identified user has, whether or not who vouches for him sent it."""
        if AUTHENTICATED in self.groups:
            return self
        return User(self.name, (*self.groups, AUTHENTICATED), self.uid, self.extra)

    def review(self) -> dict[str, Any]:
        """As a SubjectAccessReview names him."""
        extra = {key: list(values) for key, values in self.extra.items()}
        return {"user": self.name, "groups": list(self.groups), "uid": self.uid, "extra": extra}


ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
