"""A Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, and KWOK for nodes and pods.

Authentication and authorization are those of production: RBAC, a front-proxy authority of its own, and each
controller as its own service account, so that the HPA reaches an adapter as
system:serviceaccount:kube-system:horizontal-pod-autoscaler.
"""

import json
import signal
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.e2e.components import kwok
from tests.e2e.components.certificates import Authority, KeyPair, signing_key
from tests.e2e.components.golang import APISERVER, CONTROLLERS, ETCD, KWOK, SCHEDULER, GoProgram
from tests.e2e.components.kube import Json, Kube, with_certificate, write_kubeconfig
from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process
from tests.e2e.components.waiting import until
from tests.e2e.components.web import is_ok

HPA = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
"""Who reads metrics."""

LOCAL = "127.0.0.1"
NODES = 2
FAST_HPA = (
    "--horizontal-pod-autoscaler-sync-period=1s",
    "--horizontal-pod-autoscaler-downscale-stabilization=5s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
)
METRICS_ASKED = (
    {
        "level": "Metadata",
        "resources": [{"group": "custom.metrics.k8s.io"}, {"group": "external.metrics.k8s.io"}],
    },
)
"""Who asks the APIs of extension servers."""


@dataclass(frozen=True)
class Make:
    """What one control plane may have different from another."""

    apiserver: Sequence[str] = ()
    """Flags of the kube-apiserver beside its own."""
    controllers: Sequence[str] = FAST_HPA
    """Flags of the kube-controller-manager."""
    gates: Sequence[str] = ()
    """Feature gates that are on though they are off by default."""
    audited: Sequence[Json] = METRICS_ASKED
    """Rules of an audit policy; what none of them names is not written down."""
    runs_pods: bool = True
    """With nodes, a scheduler and KWOK. Without them the status of pods is what a test writes."""


class ControlPlane:
    """Files live in `folder`; `kube` is its administrator's client.

    `authority` signs its clients, `front_proxy` the aggregator.
    """

    def __init__(self, folder: Path, make: Make | None = None) -> None:
        self._folder, self.audit_log = folder, folder / "audit.log"
        self._make = make or Make()
        self._ports = dict(
            zip(("etcd", "peer", "api", "controllers", "scheduler", "kwok"), free_ports(6), strict=True)
        )
        self.authority, self.front_proxy = Authority(folder, "ca"), Authority(folder, "front-proxy-ca")
        self._proxy = KeyPair(folder / "aggregator.crt", folder / "aggregator.key")
        self.sign_front_proxy(self.front_proxy)
        self._proxy_ca = folder / "front-proxy.crt"
        self.publish_front_proxy(self.front_proxy)
        self._token_key, self._token_public = signing_key(folder, "service-accounts")
        self.admin = self.authority.issue("admin", group="system:masters")
        self._trust = ssl.create_default_context(cafile=self.authority.certificate)
        self._processes: list[Process] = []
        self.kube = Kube(f"https://{LOCAL}:{self._ports['api']}", self.authority.certificate, self.admin)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Raises ComponentFailed, after stopping what did start."""
        try:
            for part in (self._etcd, self._apiserver, self._controllers):
                self._start(part())
            if self._make.runs_pods:
                for part in (self._scheduler, self._kwok):
                    self._start(part())
                self._add_nodes()
        except BaseException:
            self.stop()
            raise

    def _start(self, process: Process) -> None:
        self._processes.append(process)
        process.start()

    def stop(self) -> None:
        """The last started first; etcd's data need not be saved."""
        while self._processes:
            process = self._processes.pop()
            process.stop(signal.SIGTERM if self._processes else signal.SIGKILL)

    def check(self) -> None:
        """Raises ComponentFailed when a part of it has died."""
        for process in self._processes:
            process.check()

    @contextmanager
    def without_apiserver(self) -> Iterator[None]:
        """It is down within the block. Raises ComponentFailed."""
        (apiserver,) = (one for one in self._processes if one.name == APISERVER.name)
        apiserver.stop()
        yield
        apiserver.start()

    def publish_front_proxy(self, *authorities: Authority) -> None:
        """Whom the API server believes and publishes as front proxy; it watches the file."""
        _replace(self._proxy_ca, b"".join(one.certificate.read_bytes() for one in authorities))

    def sign_front_proxy(self, authority: Authority) -> None:
        """From now on new connections of the aggregator show a certificate of that authority."""
        self.front_proxy = authority
        pair = authority.issue("front-proxy-client")
        _replace(self._proxy.key, pair.key.read_bytes())
        _replace(self._proxy.certificate, pair.certificate.read_bytes())

    def folder_of(self, name: str) -> Path:
        """A new one for a test's own files."""
        folder = self._folder / name
        folder.mkdir()
        return folder

    def askers(self, prefix: str) -> set[str]:
        """Users that asked for metrics at paths that begin so, by the API server's audit log; "" for nobody known."""
        events = map(json.loads, self.audit_log.read_text().splitlines())
        return {e["user"].get("username", "") for e in events if e["requestURI"].startswith(prefix)}

    def kubeconfig(self, name: str, user: Json) -> Path:
        return write_kubeconfig(self._folder / f"{name}.kubeconfig", self.kube, user)

    def _process(self, program: GoProgram, arguments: list[str], ready: str | Callable[[], bool]) -> Process:
        """`ready` is a URL that answers 200 then, or a look of its own."""
        log = self._folder / f"{program.name}.log"
        look = ready if callable(ready) else lambda: is_ok(ready, self._trust)
        return Process([program.path(), *arguments], log, look, program.version)

    def _etcd(self) -> Process:
        url, peer = f"http://{LOCAL}:{self._ports['etcd']}", f"http://{LOCAL}:{self._ports['peer']}"
        arguments = [
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]
        return self._process(ETCD, arguments, f"{url}/health")

    def _apiserver(self) -> Process:
        serving = self.authority.issue("kube-apiserver", hosts=(LOCAL, "localhost", "kubernetes.default.svc"))
        arguments = [
            f"--etcd-servers=http://{LOCAL}:{self._ports['etcd']}",
            f"--secure-port={self._ports['api']}",
            f"--bind-address={LOCAL}",
            "--advertise-address=10.0.0.1",  # a loopback address is refused
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
            f"--client-ca-file={self.authority.certificate}",
            *_serving(serving),
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._token_public}",
            f"--service-account-signing-key-file={self._token_key}",
            f"--requestheader-client-ca-file={self._proxy_ca}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={self._proxy.certificate}",
            f"--proxy-client-key-file={self._proxy.key}",
            f"--audit-policy-file={self._audit_policy()}",
            f"--audit-log-path={self.audit_log}",
            *self._make.apiserver,
            *self._gates(),
        ]
        return self._process(APISERVER, arguments, self.kube.is_ready)

    def _audit_policy(self) -> Path:
        rules = [*self._make.audited, {"level": "None"}]
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}
        path = self._folder / "audit-policy.yaml"
        path.write_text(json.dumps(policy | {"omitStages": ["RequestReceived"]}))
        return path

    def _gates(self) -> list[str]:
        return [f"--feature-gates={gate}=true" for gate in self._make.gates]

    def _controllers(self) -> Process:
        arguments = [
            *self._component("system:kube-controller-manager", "controllers"),
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={self._token_key}",
            f"--root-ca-file={self.authority.certificate}",
            *self._make.controllers,
            *self._gates(),
        ]
        return self._process(CONTROLLERS, arguments, f"https://{LOCAL}:{self._ports['controllers']}/healthz")

    def _scheduler(self) -> Process:
        arguments = self._component("system:kube-scheduler", "scheduler")
        return self._process(SCHEDULER, arguments, f"https://{LOCAL}:{self._ports['scheduler']}/healthz")

    def _component(self, user: str, port: str) -> list[str]:
        """What the controller manager and the scheduler have in common."""
        config = self.kubeconfig(port, with_certificate(self.authority.issue(user)))
        serving = self.authority.issue(f"{port}-serving", hosts=(LOCAL,))
        return [
            f"--kubeconfig={config}",
            "--leader-elect=false",
            f"--bind-address={LOCAL}",
            f"--secure-port={self._ports[port]}",
            *_serving(serving),
        ]

    def _kwok(self) -> Process:
        config = self.kubeconfig("kwok", with_certificate(self.admin))
        address = f"{LOCAL}:{self._ports['kwok']}"
        return self._process(KWOK, kwok.arguments(config, address), f"http://{address}/healthz")

    def _add_nodes(self) -> None:
        for number in range(NODES):
            self.kube.post("/api/v1/nodes", kwok.node(f"node-{number}"))
        until("all nodes are ready", lambda: all(map(kwok.is_ready, self.kube.items("/api/v1/nodes"))), 30)


def _replace(path: Path, content: bytes) -> None:
    """At once: who watches a file must not see half of it."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.rename(path)


def _serving(pair: KeyPair) -> list[str]:
    return [f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}"]
