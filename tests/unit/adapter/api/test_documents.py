"""Documents are made once; what they hold, the contract's kit checks (tests/contract/metrics_api)."""

import hashlib

import pytest

from adapter.api.documents import Documents
from adapter.api.status import ApiError
from tests.unit.adapter.stage import Stage, policy

LIST = "/apis/custom.metrics.k8s.io/v1beta2"


def test_a_document_stays_while_the_policies_do() -> None:
    stage = Stage(policy("web"))
    documents = Documents(stage.view)
    first = documents.find(LIST, "")
    assert documents.find(LIST, "application/json") is first
    stage.describe(policy("web"), policy("api"))
    assert documents.find(LIST, "") == first
    stage.describe(policy("q", targetRef={"apiVersion": "x.io/v1", "kind": "Queue", "name": "q"}))
    assert b"queues.x.io/qps" in documents.find(LIST, "").body


def test_a_tag_is_the_hash_of_the_bytes() -> None:
    document = Documents(Stage().view).find("/openapi/v2", "")
    assert document.etag == hashlib.sha512(document.body).hexdigest().upper()


@pytest.mark.parametrize(("path", "accept", "code"), [("/gone", "", 404), (LIST, "text/html", 406)])
def test_what_is_not_there_and_what_is_not_served(path: str, accept: str, code: int) -> None:
    with pytest.raises(ApiError) as error:
        Documents(Stage().view).find(path, accept)
    assert error.value.code == code
