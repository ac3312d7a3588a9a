"""nginx: a page of a few bytes, a large one, and its own counters."""

from functools import partial
from pathlib import Path

from tests.e2e.components.ports import free_ports
from tests.e2e.components.process import Process, version_of
from tests.e2e.components.web import is_ok

BULK_BYTES = 100_000


class Nginx(Process):
    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self.status_url = f"http://127.0.0.1:{self.port}/status"
        home = folder / "nginx"
        home.mkdir()
        (home / "bulk").write_bytes(b"x" * BULK_BYTES)
        config = home / "nginx.conf"
        config.write_text(_config(home, self.port))
        command = ["nginx", "-p", str(home), "-c", str(config), "-e", str(home / "error.log")]
        ready = partial(is_ok, self.status_url)
        super().__init__(command, folder / "nginx.log", ready, version_of("nginx", "-v"))


def _config(home: Path, port: int) -> str:
    paths = " ".join(
        f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
daemon off;
master_process off;
pid {home}/pid;
events {{}}
http {{
  access_log off;
  {paths}
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok"; }}
    location = /bulk {{ alias {home}/bulk; }}
    location = /status {{ stub_status; }}
  }}
}}
"""
