"""The cookie of a session, and what keeps other sites from using it."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import Request, Response

from app.domain.session import LIFE, Session
from app.security import tokens
from app.web.problems import Problem, Refused

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "X-CSRF-Token"
FOREIGN = (
    "This request comes from a page of another site ({origin}); only pages of this"
    " server, and those that SLUICE_CORS_ORIGINS names, may use its session."
)
UNPROVED = (
    "With a session, whatever changes something needs the header X-CSRF-Token with the"
    " `csrf_token` that GET /api/v1/me tells."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """Gives the cookie, reads it, and judges the requests that carry it."""

    key: bytes = field(repr=False)  # that tokens are derived from
    public_url: str
    origins: Sequence[str]  # texts, or regular expressions that end in `$`
    secure: bool  # behind https

    @property
    def name(self) -> str:
        """With `__Host-` no other host can have set it, and none sees it."""
        return "__Host-sluice" if self.secure else "sluice"

    def give(self, response: Response, token: str) -> None:
        """Let a browser keep a session's secret."""
        response.set_cookie(
            self.name,
            token,
            max_age=LIFE,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="Lax",
        )

    def take(self, response: Response) -> None:
        """Let a browser forget it."""
        response.delete_cookie(
            self.name, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )

    def token(self, request: Request) -> str | None:
        """Return the secret that a request carries, if it can be one."""
        found = request.cookies.get(self.name)
        return found if found and tokens.well_formed(found) else None

    def csrf_token(self, session: Session) -> str:
        """Return what proves that a page could read our answers."""
        return hmac.new(self.key, session.id.encode(), hashlib.sha256).hexdigest()

    def allows(self, origin: str) -> bool:
        """Tell whether pages of another origin may read what we answer."""
        return any(
            origin == each or bool(each.endswith("$") and re.match(each, origin))
            for each in self.origins
        )

    def check(self, request: Request, session: Session) -> None:
        """Let nothing through that another site may have sent.

        Raises:
            Refused: 403, it would change something, and comes from another site or
                without the session's token.
        """
        if request.method in SAFE:
            return
        self.check_origin(request)
        given = request.headers.get(HEADER, "")
        if not tokens.same(given, self.csrf_token(session)):
            raise Refused(_problem(UNPROVED))

    def check_origin(self, request: Request) -> None:
        """Refuse what a browser says another site has sent.

        Raises:
            Refused: 403.
        """
        origin = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if origin is None:
            is_ours = site in {"same-origin", "none"}
        else:
            is_ours = self._is_ours(origin, f"{request.scheme}://{request.host}")
        if not is_ours:
            told = ascii(origin or site)[1:-1][:200]
            raise Refused(_problem(FOREIGN.format(origin=told)))

    def _is_ours(self, origin: str, here: str) -> bool:
        return origin in (here, _origin(self.public_url)) or self.allows(origin)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _problem(detail: str) -> Problem:
    return Problem(status=403, code="csrf", detail=detail)
