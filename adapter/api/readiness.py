"""Whether requests are to be sent here. How old data are has no part in it: an unready adapter would take discovery down for
the whole cluster."""

from adapter.view import View
from cme.runtime.reflector import Reflector


class Readiness:
    """Of a process that begins by reading, and may be told to leave."""

    def __init__(self, view: View, pods: Reflector | None = None) -> None:
        """`pods` is what watches them, where Pods metrics rest on that."""
        self._view, self._pods = view, pods
        self._leaving = False

    def leave(self) -> None:
        """From now on it is not ready, so that nobody sends more here; what comes all the same is answered."""
        self._leaving = True

    @property
    def lacking(self) -> str:
        """Why it is not ready; "" when it is."""
        if self._leaving:
            return "shutting down"
        if not self._view.ready:
            return "the log is being read"
        if self._pods and not self._pods.tried:
            return "pods are being listed"
        return ""
