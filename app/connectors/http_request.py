"""`http.request`: call any HTTP endpoint."""

import base64
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, model_validator

from app.connectors import authorizing, statuses
from app.connectors.fields import Plain, Sealable, SealableHeaders, Text, Url
from app.connectors.filling import Filling
from app.connectors.http import Reply
from app.connectors.outgoing import Body, Request
from app.connectors.registry import Call, Connector
from app.connectors.signing import Sign
from app.domain import jsons
from app.security import signing

REPEATABLE = frozenset({"GET", "HEAD"})
BODIES = frozenset({"json_", "form", "body"})


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Method = Annotated[
    Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    BeforeValidator(_upper),
]
Status = Annotated[int, Field(ge=100, le=599)]
StatusClass = Annotated[str, Field(pattern=r"^[1-5]xx$")]
Statuses = list[Status | StatusClass]
Values = dict[
    Plain,
    Annotated[
        list[Sealable],
        BeforeValidator(_listed, json_schema_input_type=Sealable | list[Sealable]),
    ],
]


class HttpRequest(Connector):
    """Call any HTTP endpoint and hand its answer on.

    `accept_status` is a status, a class such as ``2xx``, or a list of these; by
    default everything below 400 is accepted. With `sign` the request bears a signature
    over exactly the bytes that are sent. A credential shows the server who calls: it is
    added when the request is sent, and never to one that was redirected elsewhere. One
    that is named in `headers`, `query`, `form` or `json` is put there in that moment.

    The output is ``{status, headers, body}``. The body is the value for JSON
    types, a string for what is text, null for nothing, and Base64 for other
    bytes; JSON that does not parse is given as text. A status that is not accepted
    fails the step, which keeps its output.
    """

    name: ClassVar[str] = "http.request"
    credential_types: ClassVar[tuple[str, ...]] = authorizing.TYPES

    method: Method = "GET"
    url: Url
    headers: SealableHeaders = Field(default_factory=dict)
    query: Values = Field(default_factory=dict)
    json_: Annotated[Any, Field(alias="json")] = None
    form: Values | None = None
    body: Text | None = None
    accept_status: Annotated[
        Statuses | None,
        BeforeValidator(
            _listed, json_schema_input_type=Status | StatusClass | Statuses
        ),
    ] = None
    credential: Plain | None = None
    sign: Sign | None = None

    @model_validator(mode="after")
    def _signs_alone(self) -> Self:
        taken = {name.lower() for name in self.headers} & set(signing.HEADERS)
        if self.sign is not None and taken:
            named = ", ".join(sorted(taken))
            raise ValueError(f"headers must not hold {named}, which sign sets itself")
        return self

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if len(self.model_fields_set & BODIES) > 1:
            raise ValueError("give only one of json, form and body")
        return self

    def run(self, call: Call) -> dict[str, Any]:
        filling = Filling(call)
        body = self._body(filling)
        own, query = filling.headers(self.headers), filling.query(self.query)
        key = self._key(call.idempotency_key)
        request = Request(
            method=self.method,
            url=self.url,
            headers={**own, **key, **self._mark(call, body)},
            query=query,
            body=body,
            proof=filling.proof,
        )
        reply = self._send(call, request)
        headers = dict(reply.headers)
        output = {"status": reply.status, "headers": headers, "body": decoded(reply)}
        statuses.require(reply, self._accepts, output=output)
        return output

    def _key(self, idempotency_key: str) -> Mapping[str, str]:
        own = any(name.lower() == "idempotency-key" for name in self.headers)
        if own or self.method in REPEATABLE:
            return {}
        return {"Idempotency-Key": idempotency_key}

    def _mark(self, call: Call, body: Body | None) -> Mapping[str, str]:
        if self.sign is None:
            return {}
        return self.sign.headers(call, b"" if body is None else body.content)

    def _send(self, call: Call, request: Request) -> Reply:
        if self.credential is None:
            return call.http.call(call.context, request)
        found = call.credential(self.credential, self.credential_types)
        return authorizing.send(call, request, found)

    def _body(self, filling: Filling) -> Body | None:
        if "json_" in self.model_fields_set:
            return Body(jsons.encode(filling.body(self.json_)), "application/json")
        if self.form is not None:
            content = urlencode(filling.body(self.form), doseq=True).encode()
            return Body(content, "application/x-www-form-urlencoded")
        if self.body is not None:
            return Body(self.body.encode(), "text/plain; charset=utf-8")
        return None

    def _accepts(self, status: int) -> bool:
        if self.accept_status is None:
            return statuses.below_400(status)
        return not {status, f"{status // 100}xx"}.isdisjoint(self.accept_status)


def decoded(reply: Reply) -> Any:
    """Return the body as JSON if that is its type, as text, or as Base64."""
    if not reply.body:
        return None
    kind, _, parameters = reply.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if kind.endswith(("/json", "+json")) or not kind:
        try:
            return jsons.parse(reply.body)
        except ValueError:
            pass  # said to be JSON and is not: the text tells more than a failure
    return _text(reply.body, kind, parameters)


def _text(body: bytes, kind: str, parameters: str) -> str:
    try:
        return body.decode(_charset(parameters))
    except (LookupError, ValueError):
        if kind.startswith("text/"):
            return body.decode(errors="replace")
        return base64.b64encode(body).decode()


def _charset(parameters: str) -> str:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return "utf-8"
