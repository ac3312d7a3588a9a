import pytest

from adapter.api.status import status


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (406, "NotAcceptable"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_a_status_is_worded_as_kubernetes_does(code: int, reason: str) -> None:
    assert status(code, "why and what to do") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "why and what to do",
        "reason": reason,
        "code": code,
    }
