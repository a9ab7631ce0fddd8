"""The HTTP API, as a program uses it."""

import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

from app.cli.command import Stopped


class Refused(Stopped):
    """The server answered with something else than success."""


class Client:
    """Calls one server; after `register`, or with a key, in the name of one tenant."""

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 10.0
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def is_known(self) -> bool:
        """Whether it calls in the name of a tenant."""
        return "Authorization" in self._http.headers

    def register(self) -> None:
        """Become a new tenant; its first key is used from here on."""
        person = {
            "email": "demo@example.com",
            "password": secrets.token_urlsafe(24),
            "tenant": "Demo",
        }
        key = self.call("POST", "/api/v1/auth/register", json=person)["api_key"]
        self._http.headers["Authorization"] = f"Bearer {key}"

    def call(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request and return the JSON of its answer.

        Raises:
            Refused: the status is 400 or above; the message has the server's reason.
            httpx2.HTTPError: there was no answer.
        """
        answer = self._http.request(
            method, url, json=json, content=content, headers=headers
        )
        if answer.is_error:
            raise Refused(f"{method} {answer.url.path}: {_reason(answer)}")
        return answer.json() if answer.content else None


def _reason(answer: httpx2.Response) -> str:
    """Say what a problem document says, or at least the status."""
    told = f"{answer.status_code} {answer.reason_phrase}"
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = answer.json()
        faults = [f"{e['pointer']}: {e['message']}" for e in problem.get("errors", ())]
        return "; ".join([f"{told}: {problem['detail']}", *faults])
    return told
