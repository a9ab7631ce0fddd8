"""Secrets that must not come out anywhere, and a search that would find them."""

import base64
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tests.system.client import Answer, Api, send


def written(value: str) -> Iterator[bytes]:
    """Each way of writing a value that a person could read it from."""
    raw = value.encode()
    yield raw
    yield quote(value, safe="").encode()
    yield quote_plus(value).encode()
    for ascii_only in (True, False):
        inside = json.dumps(value, ensure_ascii=ascii_only)[1:-1].encode()
        yield inside
        yield inside.decode("latin-1").encode()  # as whoever reads headers writes it
    for before in range(3):  # Base64 of whatever has the value in it
        kept = base64.b64encode(bytes(before) + raw)
        inner = kept[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


@dataclass
class Places:
    """Everything that came out, by where."""

    found: dict[str, list[bytes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, where: str, what: bytes) -> None:
        with self._lock:
            self.found.setdefault(where, []).append(what)

    def add_answer(self, where: str, answer: Answer) -> None:
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.add(where, head.encode("latin-1") + b"\n" + answer.body)

    def add_files(self, where: str, files: Iterable[Path]) -> None:
        for each in files:
            if each.is_file():
                self.add(where, each.read_bytes())

    def size(self) -> int:
        return sum(len(each) for them in self.found.values() for each in them)

    def hits(self, values: Mapping[str, str]) -> list[str]:
        """Say which value was found where."""
        looked = {name: set(written(value)) for name, value in values.items()}
        return [
            f"{name} in {where}"
            for where, them in self.found.items()
            for name, forms in looked.items()
            if any(form in each for form in forms for each in them)
        ]


class Watched(Api):
    """A client whose every answer is kept."""

    def __init__(self, url: str, places: Places, key: str | None = None) -> None:
        super().__init__(url, key)
        self.places = places

    def ask(self, method: str, path: str, value: Any = None) -> Answer:
        answer = super().ask(method, path, value)
        self.places.add_answer("API answers", answer)
        return answer

    def look_everywhere(self) -> None:
        """Read all that there is to read."""
        for path in (
            "/credentials",
            "/workflows",
            "/audit",
            "/ledger",
            "/stats",
            "/me",
        ):
            self.ask("GET", path)
        for workflow in self.call("GET", "/workflows?limit=200")["items"]:
            path = f"/workflows/{workflow['id']}"
            self.ask("GET", path)
            for each in self.call("GET", f"{path}/versions")["items"]:
                number = each["version"]
                self.ask("GET", f"{path}/versions/{number}/definition")
        for execution in self.executions():
            path = f"/executions/{execution['id']}"
            for step in self.call("GET", path)["steps"]:
                self.ask("GET", f"{path}/steps/{step['path']}/output")
            for more in ("/input", "/request", "/steps"):
                self.ask("GET", path + more)
        for path in ("/metrics", "/health", "/openapi.json"):
            answer = send("GET", self.url + path)
            self.places.add_answer(path, answer)


def backup(database: Path, folder: Path) -> Iterator[Path]:
    """Copy a database as operators do, in both ways."""
    source = sqlite3.connect(database)
    target = sqlite3.connect(folder / "backup.db")
    with target:
        source.backup(target)
    target.close()
    source.execute("VACUUM INTO ?", (str(folder / "vacuum.db"),))
    source.close()
    yield from (folder / "backup.db", folder / "vacuum.db")
