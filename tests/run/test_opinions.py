"""`tidecast up` with a policy that names a model: fitted in a process of its own while everything else goes on."""

import contextlib
import re
import urllib.request
from pathlib import Path

import yaml

from adapter.allinone import demo
from cme.collector.records import describe
from cme.core.clock import SystemClock
from cme.log.embedded import EmbeddedLog
from cme.policies.standing import Standing
from tests.run.program import Program


def configuration(folder: Path) -> Path:
    """The demonstration's tide with a model, and 28 days of its past in the log."""
    (web,) = (one for one in demo.policies("127.0.0.1:1") if one.metadata.name == "web")
    document = web.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["spec"]["forecast"] = {"models": ["ets"], "lead": "1h"}
    now = SystemClock().now_ms()
    with contextlib.closing(EmbeddedLog.open(folder / "data", writable=True)) as log:
        log.append(describe([Standing.valid(web)], now))
        demo.back_fill(log, [web], now, lambda done, total: None)
    path = folder / "tidecast.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_model_is_fitted_and_does_not_hold_up_the_forecast(tmp_path: Path) -> None:
    with Program(tmp_path, "--config", str(configuration(tmp_path))) as program:
        fits = re.compile(r'^tidecast_model_fits_total\{model="ets"\} 1\.0$', re.M)
        program.wait_for(lambda: bool(fits.search(metrics(program))))
        assert "predicted" in program.workload("web")["signals"][0]
        assert program.stop() == 0
    assert (program.data / "opinions.state").exists()


def metrics(program: Program) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{program.http}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
