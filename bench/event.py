"""The event of every benchmark: GitHub's median payload, signed, each with a new id."""

import hashlib
import hmac
import uuid
from pathlib import Path
from typing import Any

BODY = (Path(__file__).parent / "release.json").read_bytes()
SECRET = "a secret that both sides know"  # noqa: S105


def headers(body: bytes) -> dict[str, str]:
    """Write what GitHub sends with a body, but for the delivery's id."""
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Host": "localhost",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "X-GitHub-Event": "release",
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature-256": f"sha256={signature}",
    }


HEADERS = headers(BODY)
STEPS = (
    {
        "id": "release",
        "uses": "set",
        "with": {
            "value": {
                "tag": "{{ trigger.body.release.tag_name }}",
                "by": "{{ trigger.body.sender.login }}",
                "where": "{{ trigger.body.repository.full_name }}",
            }
        },
    },
    {
        "id": "final",
        "uses": "set",
        "if": "trigger.body.action == 'created' && !(trigger.body.release.draft)",
        "with": {"value": True},
    },
    {
        "id": "text",
        "uses": "set",
        "with": {
            "value": "{{ steps.release.output.by }} made {{ steps.release.output.tag }}"
        },
    },
)


def workflow(*steps: Any, **trigger: Any) -> dict[str, Any]:
    """Make a definition that takes the event; by default of three steps."""
    verify = {"scheme": "github", "secret": SECRET}
    told = {"type": "webhook", "verify": verify, **trigger}
    return {"trigger": told, "steps": list(steps or STEPS)}


def request(path: str) -> bytes:
    """Write one delivery as it comes over the wire."""
    fields = {
        **HEADERS,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "Content-Length": str(len(BODY)),
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + BODY
