"""How each type of credential shows a server who is calling."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

from app.connectors.http import Reply
from app.connectors.outgoing import Proof, Request
from app.connectors.registry import Call
from app.domain.credential import Opened

UNAUTHORIZED = 401
Data = Mapping[str, str]


def _bearer(data: Data) -> Proof:
    return with_token(data["token"])


def _basic(data: Data) -> Proof:
    return with_password(data["username"], data["password"])


def _header(data: Data) -> Proof:
    return Proof(headers={data["name"]: data["value"]})


def _query(data: Data) -> Proof:
    return Proof(query={data["name"]: [data["value"]]})


STATIC: Mapping[str, Callable[[Data], Proof]] = {
    "bearer": _bearer,
    "basic": _basic,
    "header": _header,
    "query": _query,
}
TYPES = (*STATIC, "oauth2")


def proof(credential: Opened) -> Proof:
    """Show what a credential holds, one whose type is in `STATIC`."""
    shown = STATIC[credential.type](credential.data)
    return replace(shown, secrets=tuple(credential.secrets()))


def send(call: Call, request: Request, credential: Opened) -> Reply:
    """Send a request with a credential; a token that is refused is replaced once.

    Raises:
        StepFailed, Cancelled, Interrupted, DeadlineExceeded: as the door and the
            keyring do.
    """
    if credential.type in STATIC:
        return call.http.call(call.context, _proven(request, proof(credential)))
    token = call.keyring.token(call.context, credential)
    reply = call.http.call(call.context, _proven(request, with_token(token)))
    if reply.status != UNAUTHORIZED:
        return reply
    other = call.keyring.token(call.context, credential, stale=token)
    return call.http.call(call.context, _proven(request, with_token(other)))


def _proven(request: Request, shown: Proof) -> Request:
    return replace(request, proof=request.proof.beside(shown))


def with_token(token: str) -> Proof:
    """Show a token (RFC 6750, section 2.1)."""
    return Proof(headers={"Authorization": f"Bearer {token}"}, secrets=(token,))


def with_password(user: str, password: str) -> Proof:
    """Show a name and a password (RFC 7617), in UTF-8."""
    pair = b64encode(f"{user}:{password}".encode()).decode()
    return Proof(headers={"Authorization": f"Basic {pair}"})
