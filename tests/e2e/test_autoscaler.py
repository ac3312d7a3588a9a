"""What `tidecast hpa` prints, as the real API server takes it."""

import json
from pathlib import Path
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


def hpa(*arguments: str, given: str = "") -> str:
    return CliRunner().invoke(tidecast, ["hpa", *arguments], input=given, catch_exceptions=False).stdout


@pytest.mark.parametrize("version", ["1.23", "1.36"])
def test_the_printed_hpa_is_kept_as_it_is_and_fits(
    control_plane: ControlPlane, version: str, tmp_path: Path
) -> None:
    control_plane.kube.apply(namespace())
    given = policy("sample", "queue_backlog", from_kafka(), "40", [always(4)])
    file = tmp_path / "policy.yaml"
    file.write_text(json.dumps(given))
    (printed,) = yaml.safe_load_all(hpa(str(file), "--kubernetes", version))
    kept = control_plane.kube.post(STRICTLY, printed)
    assert holds(kept, printed)
    told = hpa(str(file), "--kubernetes", version, "--against", "-", given=json.dumps(kept))
    assert told == f"{NAMESPACE}/sample: fits\n"
    assert ("tolerance" in kept["spec"]["behavior"]["scaleDown"]) is (version == "1.36")
