"""nginx as shipped, in front of a server; only ports, paths and certificate differ."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from tests.system.client import Answer
from tests.system.serving import ROOT, free_port
from tests.system.waiting import eventually

SHIPPED = ROOT / "deploy" / "nginx" / "sluice.conf"
NAME = "sluice.example.com"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off;
worker_rlimit_nofile 8192;
pid {home}/nginx.pid;
error_log {home}/nginx.log;
{user}
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    access_log off;
    include {home}/sluice.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """One running nginx."""

    home: Path
    http: int  # ports
    https: int

    def connect(self, *, source: str = "127.0.0.1", name: str = NAME) -> ssl.SSLSocket:
        """Open a TLS connection, from an address of this machine's choice."""
        trust = ssl.create_default_context(cafile=str(self.home / "certificate.pem"))
        plain = socket.create_connection(
            ("127.0.0.1", self.https), timeout=40, source_address=(source, 0)
        )
        return trust.wrap_socket(plain, server_hostname=name)

    def send(
        self, method: str, path: str, *fields: str, body: bytes = b"", **how: str
    ) -> Answer:
        """Send one request over https, and read the answer."""
        length = (f"Content-Length: {len(body)}",) if body else ()
        head = (f"{method} {path} HTTP/1.1", f"Host: {NAME}", *length, *fields)
        with self.connect(**how) as one:
            one.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
            return read(one, method)

    def log(self) -> list[dict[str, Any]]:
        """The access log so far."""
        lines = (self.home / "sluice.log").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def logged(self, request_id: str) -> dict[str, Any]:
        """The access log's line about one request."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.log() if each["request_id"] == request_id]

        [line] = eventually(found, within=5, what=f"{request_id} is logged")
        return line

    def written(self) -> str:
        """All that its logs hold."""
        return "".join(each.read_text() for each in self.home.glob("*.log"))


def plain(home: Path, *, upstream: int, port: int) -> str:
    """Return the shipped configuration without TLS and its redirect, for any name."""
    shipped = SHIPPED.read_text()
    head, _, rest = shipped.partition("\nserver {\n")
    main = rest.rpartition("\nserver {\n")[2]
    main = re.sub(r"^ *(ssl_|listen \[).*\n", "", main, flags=re.MULTILINE)
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        f"server_name {NAME};": "server_name _;",
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
        "/var/log/nginx/": f"{home}/",
    }
    return _changed(f"{head}\nserver {{\n{main}", changes)


def read(one: socket.socket, method: str = "POST") -> Answer:
    """Read one answer from a connection."""
    reply = HTTPResponse(one, method=method)
    reply.begin()
    names = {name.lower(): value for name, value in reply.getheaders()}
    return Answer(reply.status, names, reply.read())


@contextmanager
def running(home: Path, upstream: int) -> Iterator[Nginx]:
    """Run nginx as shipped before the server at port `upstream`."""
    ours = {"server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};"}
    with serving(home, SHIPPED.read_text(), ours) as one:
        yield one


@contextmanager
def serving(home: Path, text: str, changes: Mapping[str, str]) -> Iterator[Nginx]:
    """Run nginx with a configuration, changed for here and as `changes` says."""
    one = Nginx(home, free_port(), free_port())
    home.mkdir()
    _make_certificate(home)
    with process(home, _adapted(one, text, changes), port=one.https):
        yield one


@contextmanager
def process(home: Path, text: str, *, port: int) -> Iterator[None]:
    """Run nginx in a folder with a configuration that lets it listen on a port."""
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(MAIN.format(home=home, user=user))
    (home / "sluice.conf").write_text(text)
    assert NGINX
    early = str(home / "nginx.log")  # for what happens before the configuration is read
    command = [NGINX, "-e", early, "-p", str(home), "-c", str(home / "nginx.conf")]
    with (home / "stderr").open("wb") as stderr:
        running = subprocess.Popen(command, stderr=stderr)
    try:
        eventually(lambda: _listens(running, port), within=10, what="nginx listens")
        yield
    finally:
        running.terminate()
        running.wait(10)


def _adapted(one: Nginx, text: str, ours: Mapping[str, str]) -> str:
    """Change ports, paths and the certificate, and nothing else."""
    text = re.sub(r"^ *listen \[::\]:.*\n", "", text, flags=re.MULTILINE)
    changes = {
        "listen 80;": f"listen 127.0.0.1:{one.http};",
        "listen 443 ": f"listen 127.0.0.1:{one.https} ",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": f"{one.home}/certificate.pem",
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": f"{one.home}/key.pem",
        "/var/www/acme": f"{one.home}/acme",
    }
    text = _changed(text, {**changes, **ours})
    return text.replace("/var/log/nginx/", f"{one.home}/")


def _changed(text: str, changes: Mapping[str, str]) -> str:
    for shipped, here in changes.items():
        assert shipped in text, f"the shipped configuration no longer has {shipped}"
        text = text.replace(shipped, here)
    return text


def _make_certificate(home: Path) -> None:
    """Make a key, and a certificate for it that vouches for itself."""
    made = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        f" -days 2 -subj /CN={NAME} -addext subjectAltName=DNS:{NAME}"
        f" -keyout {home}/key.pem -out {home}/certificate.pem"
    )
    subprocess.run(made.split(), check=True, capture_output=True)


def _listens(running: subprocess.Popen[bytes], port: int) -> bool:
    assert running.poll() is None, "nginx ended"
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
