"""Kafka: one node in KRaft mode, from Maven's packages as the pinned pom names them.

It listens without and with TLS and a password, on an address each.
"""

import re
from pathlib import Path

from tests.e2e.components.cache import cached
from tests.e2e.components.certificates import Authority
from tests.e2e.components.golang import run
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import is_listening

POM = Path(__file__).parent / "maven" / "kafka" / "pom.xml"
CLUSTER_ID = "dGlkZWNhc3QtZTJlLTAwMQ"
JAVA = ("java", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Made for a quick start, not for throughput."""


USER, PASSWORD = "tidecast", "a password"


class Kafka(Process):
    def __init__(self, folder: Path) -> None:
        broker, controller, secured = free_ports(3)
        self.address, self.secured_address = f"127.0.0.1:{broker}", f"localhost:{secured}"
        authority = Authority(folder, "kafka-ca")
        self.authority = authority.certificate
        self.data = folder / "kafka"
        self._properties = folder / "kafka.properties"
        self._properties.write_text(
            _properties(self.data, broker, controller, secured) + _secured(folder, authority)
        )
        command = [*_java(), "kafka.Kafka", str(self._properties)]
        super().__init__(command, folder / "kafka.log", lambda: is_listening(broker), _version())

    def start(self, timeout_s: float = 60) -> None:
        """Raises ComponentFailed."""
        format_ = [
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            CLUSTER_ID,
            "-c",
            str(self._properties),
        ]
        run([*_java(), *format_], self._properties.parent)
        super().start(timeout_s)


def _version() -> str:
    found = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*?)</version>", POM.read_text())
    return found[1] if found else "?"


def libraries() -> Path:
    """The folder of jars, downloaded unless it is there already. Raises ComponentFailed."""
    return cached("kafka", [POM.read_bytes()], _download)


def _download(out: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={out}"]
    run(["mvn", "-q", "-B", "-f", str(POM), *goal], out)


def _java() -> list[str]:
    return [*JAVA, "-cp", f"{libraries()}/*"]


def _secured(folder: Path, authority: Authority) -> str:
    """The listener of TLS and a password; key and certificate are in one PEM file."""
    pair, store = authority.issue("kafka", hosts=("localhost",)), folder / "kafka.pem"
    store.write_text(pair.key.read_text() + pair.certificate.read_text())
    login = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return f"""\
listener.name.secured.ssl.keystore.type=PEM
listener.name.secured.ssl.keystore.location={store}
listener.name.secured.sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config={login} required user_{USER}="{PASSWORD}";
"""


def _properties(data: Path, broker: int, controller: int, secured: int) -> str:
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller},SECURED://127.0.0.1:{secured}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker},SECURED://localhost:{secured}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
log.dirs={data}
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
