"""What a record of the topic `policies` says."""

import json

from cme.core.batch import Batch
from cme.core.documents import parse_document
from cme.core.errors import InvalidInput
from cme.core.policy import ScalingPolicy


def recorded_policy(batch: Batch) -> ScalingPolicy | None:
    """The policy that is in effect, None if none is. Raises InvalidInput for one that this version can't read."""
    text, where = batch.texts("document")[0], f"policy {batch.key}"
    if not text:
        return None
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(str(error), where, "write the policy anew") from None
    return parse_document(ScalingPolicy, document, where)


def recorded_text(batch: Batch, name: str) -> str:
    """Another text of the record, "" where the version that wrote it had none."""
    return batch.texts(name)[0] if name in batch.columns else ""
