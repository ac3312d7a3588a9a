"""What `tidecast hpa` prints, as the real API server takes it."""

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from adapter.cli import tidecast
from tests.e2e.components.control_plane import ControlPlane
from tests.e2e.policies import always, from_kafka, policy
from tests.e2e.workloads import NAMESPACE, namespace

pytestmark = pytest.mark.e2e

STRICTLY = (
    f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers?dryRun=All&fieldValidation=Strict"
)


def holds(whole: Any, part: Any) -> bool:
    """Whether all that `part` says stands in `whole`, which may say more."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("version", ["1.23", "1.36"])
def test_the_printed_hpa_is_kept_as_it_is(control_plane: ControlPlane, version: str) -> None:
    control_plane.kube.apply(namespace())
    given = policy("sample", "queue_backlog", from_kafka(), "40", [always(4)])
    done = CliRunner().invoke(tidecast, ["hpa", "-", "--kubernetes", version], input=json.dumps(given))
    (printed,) = yaml.safe_load_all(done.stdout)
    kept = control_plane.kube.post(STRICTLY, printed)
    assert holds(kept, printed)
    assert ("tolerance" in kept["spec"]["behavior"]["scaleDown"]) is (version == "1.36")
