"""Errors as Kubernetes words them: a Status object whose message ends up in the HPA's event."""

from typing import Any

from cme.core.errors import TidecastError

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    500: "InternalError",
    503: "ServiceUnavailable",
}

Json = dict[str, Any]


class ApiError(TidecastError):
    """A request that gets a Status instead of numbers."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def status(code: int, message: str) -> Json:
    """The Status of an HTTP error code."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": _REASONS.get(code, ""),
        "code": code,
    }
