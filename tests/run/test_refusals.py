"""What keeps `tidecast up` from starting gets one line that says what to do, and exit code 2."""

import socket
from pathlib import Path

import pytest

from tests.run.program import Program, command, free_port
from tests.unit.adapter.api.authority import Authority

POLICY = """
apiVersion: tidecast.dev/v1alpha1
kind: ScalingPolicy
metadata: {name: web}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  signals: [{name: qps, source: {demo: {load: tide}}, perReplica: 4}]
"""


def refused(*flags: str, by: str = "up") -> str:
    """The one line of a start that is refused."""
    address = ("--http", f"127.0.0.1:{free_port()}", "--https", f"127.0.0.1:{free_port()}")
    done = command(by, *address, *flags)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("flag", ["http", "https"])
def test_a_busy_port(flag: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        line = refused(f"--{flag}", address, "--data", str(tmp_path / "data"))
    assert (
        line == f"tidecast: can't listen at {address}: Address already in use; choose another with --{flag}"
    )


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    line = refused("--data", str(tmp_path / "data"))
    assert str(tmp_path / "data") in line
    assert "choose another --data" in line


def test_a_data_folder_that_another_process_writes(tmp_path: Path) -> None:
    with Program(tmp_path) as program:
        line = refused("--data", str(program.data))
    assert f"is being written by process {program.process.pid}" in line


@pytest.mark.parametrize("flag", ["http", "https"])
def test_an_address_that_strangers_reach(flag: str, tmp_path: Path) -> None:
    line = refused(f"--{flag}", f"0.0.0.0:{free_port()}", "--data", str(tmp_path / "data"))
    assert "only a loopback address can be served" in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (POLICY.replace("perReplica: 4", "perReplica: -4"), "document 1: spec.signals.0.perReplica"),
        (POLICY.replace("perReplica", "perReplika"), "there is no such field"),
        (POLICY.replace("demo: {load", "dmeo: {load"), "there is no source 'dmeo'"),
        (POLICY + "---\n" + POLICY, "policies share the name default/web"),
        ("kind: [", "correct the YAML"),
        ("kind: Settings\ntick: 5", "tick: 5 is not a duration"),
    ],
)
def test_a_broken_configuration(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "tidecast.yaml"
    path.write_text(text)
    line = refused("--config", str(path), "--data", str(tmp_path / "data"))
    assert told in line


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    line = refused("--config", str(tmp_path / "none.yaml"), "--data", str(tmp_path / "data"))
    assert "none.yaml: No such file or directory" in line


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    certificate = tmp_path / "server.crt"
    certificate.write_text("nothing")
    path = tmp_path / "tidecast.yaml"
    path.write_text(f"kind: Settings\ncertificate: {{certFile: {certificate}, keyFile: {certificate}}}")
    line = refused("--config", str(path), "--data", str(tmp_path / "data"))
    assert "certificate" in line


def settings(folder: Path, text: str) -> str:
    file = folder / "settings.yaml"
    file.write_text(f"kind: Settings\n{text}\n")
    return str(file)


def test_up_that_is_to_follow_a_log(tmp_path: Path) -> None:
    link = "{address: 127.0.0.1:9, caFile: ca.crt, certFile: own.crt, keyFile: own.key}"
    file = settings(tmp_path, f"followLog: {link}")
    assert "followLog is for tidecast serve" in refused("--config", file, "--data", str(tmp_path / "data"))


def test_serve_without_a_log_to_follow(tmp_path: Path) -> None:
    assert "add followLog or log to the settings" in refused("--config", settings(tmp_path, ""), by="serve")


@pytest.mark.parametrize("content", [None, "", "no PEM"])
def test_a_log_served_without_an_authority_of_its_followers(content: str | None, tmp_path: Path) -> None:
    authority, pair = tmp_path / "ca.crt", Authority().issue(tmp_path, "server")
    if content is not None:
        authority.write_text(content)
    link = f"{{address: 127.0.0.1:0, caFile: {authority}, certFile: {pair.certificate}, keyFile: {pair.key}}}"
    file = settings(tmp_path, f"serveLog: {link}")
    line = refused("--config", file, "--data", str(tmp_path / "data"))
    assert line.startswith(f"tidecast: authorities {authority}: can't be read (")


@pytest.mark.parametrize("role", ["collect", "predict"])
def test_roles_as_processes_of_their_own_need_a_log_that_several_may_write(tmp_path: Path, role: str) -> None:
    done = command(role, "--config", settings(tmp_path, ""))
    assert done.returncode == 2
    assert "one process that writes it, tidecast up" in done.stderr
    assert "add log.kafka" in done.stderr
