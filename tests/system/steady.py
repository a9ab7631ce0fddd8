"""Clients that post at an even pace; any answer but a success is a failure."""

import http.client
import json
import select
import threading
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(slots=True)
class Seen:
    """What one kind of clients saw; appended to from several threads."""

    answers: list[Any] = field(default_factory=list)  # JSON of each success
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a client does, again and again.

    One that `keeps` its connection looks whether the other side has closed it before
    it uses it again, as good clients do.
    """

    hook: str
    value: Any
    keeps: bool
    pause: float  # seconds between an answer and the next request


class Client(threading.Thread):
    """One client; writes down what it sees."""

    def __init__(self, kind: Kind, seen: Seen, over: threading.Event) -> None:
        super().__init__()
        parts = urlsplit(kind.hook)
        assert parts.hostname
        self._path, self._pause = parts.path, kind.pause
        self._seen, self._over = seen, over
        self._body = json.dumps(kind.value).encode()
        self._headers = {"Content-Type": "application/json"}
        if not kind.keeps:
            self._headers["Connection"] = "close"
        self._connection = http.client.HTTPConnection(
            parts.hostname, parts.port, timeout=30
        )

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._post()
            except (OSError, http.client.HTTPException) as error:
                self._seen.failures.append(repr(error))
                self._connection.close()
            self._over.wait(self._pause)
        self._connection.close()

    def _post(self) -> None:
        sock = self._connection.sock
        if sock is not None and select.select([sock], [], [], 0)[0]:
            self._connection.close()  # so the next request opens a new one
        self._connection.request("POST", self._path, self._body, self._headers)
        reply = self._connection.getresponse()
        answer = reply.read()
        if 200 <= reply.status < 300:
            self._seen.answers.append(json.loads(answer))
        else:
            self._seen.failures.append(f"{reply.status} {answer!r}")


class Steady:
    """Clients of several kinds, from entering to leaving a context."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._clients: list[Client] = []
        self.every: list[Seen] = []

    def add(self, count: int, kind: Kind) -> Seen:
        """Have so many more clients of a kind."""
        seen = Seen()
        self.every.append(seen)
        self._clients += [Client(kind, seen, self._over) for _ in range(count)]
        return seen

    def __enter__(self) -> Self:
        for each in self._clients:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._clients:
            each.join(40)

    @property
    def failures(self) -> list[str]:
        """Whatever went wrong for anybody."""
        return [failure for seen in self.every for failure in seen.failures]
