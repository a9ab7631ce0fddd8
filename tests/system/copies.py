"""One event that its sender sends many times over, until it is taken."""

import hashlib
import hmac
import http.client
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.system.client import Answer, send

AGAIN = {502, 503}
PAUSE = 0.2  # seconds before another try; real senders are more patient
SECRET = "It's a Secret to Everybody"


def github(delivery: str, body: bytes) -> dict[str, str]:
    """The headers of a delivery that GitHub has signed."""
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={digest}",
    }


@dataclass
class Copies:
    """What became of all attempts to deliver one event."""

    hook: str
    body: bytes
    headers: Mapping[str, str]
    tries: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, count: int) -> list[Answer]:
        """Send so many copies at once, each again and again until it is answered.

        A copy that is told 503, or by a proxy 502, or nothing at all, is sent again.
        """
        with ThreadPoolExecutor(count) as senders:
            return list(senders.map(lambda _: self._until_taken(), range(count)))

    def _until_taken(self) -> Answer:
        while True:
            answer = self._try()
            told = "broken" if answer is None else str(answer.status)
            with self._lock:
                self.tries[told] += 1
            if answer is not None and answer.status not in AGAIN:
                return answer
            threading.Event().wait(PAUSE)

    def _try(self) -> Answer | None:
        try:
            return send(
                "POST", self.hook, body=self.body, headers=self.headers, timeout=60
            )
        except (OSError, http.client.HTTPException):
            return None
