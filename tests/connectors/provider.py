"""An authorization server and an API behind it, on loopback, that take nothing amiss.

Written by RFC 6749, 6750 and 7636 and stricter than most: codes and refresh tokens are
good for one use, and a second use of either ends everything that came of it.
"""

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

CLIENT, SECRET = "sluice client", "s3cret-of:client/8f2c"
SCOPES = "orders:read orders:write"


@dataclass
class Family:
    """All that came of one code."""

    access: set[str] = field(default_factory=set)
    refresh: str = ""  # the only one that is good
    spent: set[str] = field(default_factory=set)
    revoked: bool = False


class Provider(ThreadingHTTPServer):
    """Counts what it is asked; `broken` answers stand in for the next ones."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.RLock()
        self.codes: dict[str, dict[str, str]] = {}
        self.families: list[Family] = []
        self.own: set[str] = set()  # tokens of the client itself
        self.asked: list[dict[str, str]] = []  # forms that came to the token endpoint
        self.broken: list[tuple[int, bytes]] = []
        self.calls: list[tuple[str, bool]] = []  # of the API: the token, was it good
        self.life = 3600
        self.rotates = True
        self.hold: threading.Event | None = None  # what token answers wait for
        self.begun = threading.Event()
        self.auth = "basic"
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def data(self, grant: str, **more: str) -> dict[str, str]:
        """The data of a credential for this server."""
        found = {
            "grant": grant,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "token_url": f"{self.url}/token",
        }
        if grant == "authorization_code":
            found["authorize_url"] = f"{self.url}/authorize?prompt=consent"
        return found | more

    def revoke(self) -> None:
        """Take back every access token; refresh tokens stay good."""
        with self.lock:
            self.own.clear()
            for each in self.families:
                each.access.clear()

    def close(self) -> None:
        if self.hold is not None:
            self.hold.set()
        self.shutdown()
        self.server_close()

    def consent(self, url: str) -> str:
        """Be the person who says yes; return where the browser is sent."""
        asked = {k: v for k, [v] in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.url}/authorize?")
        assert asked["prompt"] == "consent"
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) >= 32
        code = secrets.token_urlsafe(24)
        with self.lock:
            self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def granted(self, form: dict[str, str]) -> dict[str, object] | None:
        """Return the tokens for a form, or None if it deserves none."""
        kind = form.get("grant_type")
        with self.lock:
            if kind == "client_credentials":
                token = secrets.token_urlsafe(24)
                self.own.add(token)
                return self._answer(token)
            if kind == "authorization_code":
                return self._of_code(form)
            if kind == "refresh_token":
                return self._of_refresh(form)
        return None

    def knows(self, token: str) -> bool:
        with self.lock:
            return token in self.own or any(
                token in each.access and not each.revoked for each in self.families
            )

    def _of_code(self, form: dict[str, str]) -> dict[str, object] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            return None
        family = Family()
        self.families.append(family)
        return self._next(family)

    def _of_refresh(self, form: dict[str, str]) -> dict[str, object] | None:
        token = form.get("refresh_token", "")
        for each in self.families:
            if token in each.spent:
                each.revoked = True
            if token == each.refresh and not each.revoked:
                return self._next(each)
        return None

    def _next(self, family: Family) -> dict[str, object]:
        access = secrets.token_urlsafe(24)
        family.access.add(access)
        if family.refresh and not self.rotates:
            return self._answer(access)
        if family.refresh:
            family.spent.add(family.refresh)
        family.refresh = secrets.token_urlsafe(24)
        return self._answer(access, refresh_token=family.refresh)

    def _answer(self, access: str, **more: str) -> dict[str, object]:
        life = {"expires_in": self.life} if self.life else {}
        return {"access_token": access, "token_type": "Bearer", **life, **more}


class Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {k: v for k, [v] in parse_qs(body, keep_blank_values=True).items()}
        with self.server.lock:
            self.server.asked.append(form)
            broken = self.server.broken.pop(0) if self.server.broken else None
        self.server.begun.set()
        if self.server.hold is not None:
            self.server.hold.wait(5)
        if broken is not None:
            self._send(*broken)
        elif self.path != "/token" or not self._is_client(form):
            self._send(401, b'{"error": "invalid_client"}')
        elif (found := self.server.granted(form)) is None:
            self._send(400, b'{"error": "invalid_grant"}')
        else:
            self._send(200, json.dumps(found).encode())

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        good = self.server.knows(token)
        with self.server.lock:
            self.server.calls.append((token, good))
        self._send(200 if good else 401, json.dumps({"seen": token}).encode())

    def _is_client(self, form: dict[str, str]) -> bool:
        shown = self.headers.get("Authorization", "")
        if self.server.auth == "body":
            pair = (form.get("client_id"), form.get("client_secret"))
            return not shown and pair == (CLIENT, SECRET)
        if not shown.startswith("Basic ") or "client_secret" in form:
            return False
        user, _, password = (
            base64.b64decode(shown.removeprefix("Basic ")).decode().partition(":")
        )
        return (unquote_plus(user), unquote_plus(password)) == (CLIENT, SECRET)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", body.decode())
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
