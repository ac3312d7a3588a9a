import pickle

from cme.core.documents import Fault, InvalidDocument
from cme.core.errors import InvalidInput


def test_a_refusal_reads_the_same_in_another_process() -> None:
    refusal = InvalidInput("it is no number", "file x, line 3", "write one")
    again = pickle.loads(pickle.dumps(refusal))
    assert (str(again), again.remedy) == (str(refusal), "write one")
    assert isinstance(again, InvalidInput)


def test_a_document_s_faults_come_along() -> None:
    refusal = InvalidDocument([Fault(("spec", 0), "it is missing; add it")], "policy.yaml")
    again = pickle.loads(pickle.dumps(refusal))
    assert (str(again), again.faults) == (str(refusal), refusal.faults)


def test_a_refusal_of_something_long_begins_and_ends_as_it_would() -> None:
    told = str(InvalidInput(f"'{'x' * 100_000}' is no number", "file x", "write one"))
    assert told.startswith("file x: 'xxx")
    assert told.endswith("xxx' is no number; write one")
    assert len(told) < 2_000
