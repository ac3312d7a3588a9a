"""tidecast as processes of its own on Kafka, without a cluster: collectors, predictors and adapters, each in its folder."""

import contextlib
import json
import urllib.request
from pathlib import Path

from cme.core.settings import KafkaLink
from tests.contract.kafka_log import KafkaLog
from tests.contract.log_laws import read_all
from tests.run.program import Program

POLICY = """
---
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: NAME, namespace: demo}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: NAME}
  signals: [{name: qps, source: {demo: {load: tide}}, perReplica: 4}]
"""


class KafkaSite:
    """Settings for all in one folder."""

    def __init__(self, folder: Path, link: KafkaLink, names: list[str]) -> None:
        self.folder, self.names, self._link = folder, names, link
        log = json.dumps({"kafka": link.model_dump(mode="json", by_alias=True, exclude_none=True)})
        head = f"apiVersion: tidecast.dev/v1alpha1\nkind: Settings\ntick: 1s\nstaleAfter: 10s\nlog: {log}\n"
        file = folder / "settings.yaml"
        self.file = str(file)
        file.write_text(head + "".join(POLICY.replace("NAME", name) for name in names))

    def collector(self, name: str = "collector", tree: Path | None = None) -> Program:
        return self._program(name, "collect", False, tree)

    def predictor(self, name: str = "predictor", tree: Path | None = None) -> Program:
        return self._program(name, "predict", False, tree)

    def adapter(self, name: str = "adapter", tree: Path | None = None) -> Program:
        return self._program(name, "serve", True, tree)

    def all_in_one(self) -> Program:
        return self._program("all", "up")

    def sampled(self, partition: int) -> list[int]:
        """Times of the samples that the log has, in its order."""
        with contextlib.closing(KafkaLog(self._link, [partition])) as log:
            return [batch.time_ms for batch in read_all(log, ["samples"])]

    def rests_on(self, partition: int) -> int:
        """The time of the oldest sample that counts in the newest decisions."""
        with contextlib.closing(KafkaLog(self._link, [partition])) as log:
            decisions = read_all(log, ["decisions"])
            return int(decisions[-1].numbers("raw_ms").min()) if decisions else 0

    def _program(self, name: str, role: str, until_ready: bool = True, tree: Path | None = None) -> Program:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return Program(folder, "--config", self.file, role=role, until_ready=until_ready, tree=tree)


def partitions(role: Program) -> set[int]:
    """Those that a collector or predictor says it works on, from the metrics of each."""
    with urllib.request.urlopen(f"http://127.0.0.1:{role.http}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    faults = [
        line
        for line in lines
        if line.startswith(("tidecast_collector_faults_total{", "tidecast_predictor_faults_total{"))
    ]
    return {int(line.split('partition="')[1].split('"')[0]) for line in faults}
