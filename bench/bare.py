"""What Sluice is compared with: the least that a server in Python can do.

Both read the body as JSON and answer 202 with JSON, as a webhook's receiver would that
neither verifies nor records anything.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

flask = Flask("bare")


@flask.post("/hooks/<token>")
def receive(token: str) -> ResponseReturnValue:
    """Read and answer."""
    value = json.loads(request.get_data())
    return {"status": "queued", "members": len(value), "token": token}, 202


def wsgi(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Do the same without Flask."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    value = json.loads(environ["wsgi.input"].read(size) or b"{}")
    answer = json.dumps({"status": "queued", "members": len(value)}).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(answer))),
    ]
    start_response("202 Accepted", headers)
    return [answer]
