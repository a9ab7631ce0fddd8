"""The whole receiver in this process, with a dispatcher that commits at once."""

from typing import Any

from tests.security.signatures.senders import URL, Sender, Sent
from tests.web.receiving import Rig
from tests.web.test_doors import TOKEN, published


class Gate:
    """A workflow's hook behind which nothing runs."""

    def __init__(self, sender: Sender, **options: Any) -> None:
        self.rig = Rig()
        verify = {**sender.verify, **options}
        if sender.scheme in {"hmac", "square", "twilio"}:
            verify["url"] = URL
        self.rig.stored.known[TOKEN] = published(verify=verify)

    def lets_in(self, sent: Sent) -> bool:
        """Deliver a request; True if it was accepted, False if it was 401."""
        headers = {"Content-Type": "application/json", **sent.headers}
        runs = len(self.rig.desk.runs)
        pending = self.rig.admit(
            body=sent.body,
            query=sent.query,
            headers={
                k.lower(): v.encode().decode("latin-1") for k, v in headers.items()
            },
        )
        if len(self.rig.desk.runs) > runs:
            self.rig.desk.commit()
        status = pending.answer().status
        assert status in {200, 202, 401}, status
        return status != 401
