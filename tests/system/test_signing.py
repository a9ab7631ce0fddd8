"""What we sign, on the wire, as the official libraries see it."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from openai import InvalidWebhookSignatureError, OpenAI
from standardwebhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixVerificationError

from tests.system.client import Api, post
from tests.system.octokit import Event
from tests.system.serving import Server
from tests.system.sink import Arrival, Sink

pytestmark = pytest.mark.system

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
AT_ONCE = 50  # events, well below what one process takes


def standardwebhooks(arrival: Arrival, body: bytes) -> None:
    Webhook(KEY).verify(body, dict(arrival.headers))


def svix(arrival: Arrival, body: bytes) -> None:
    SvixWebhook(KEY).verify(body, dict(arrival.headers))


def openai(arrival: Arrival, body: bytes) -> None:
    client = OpenAI(api_key="unused", webhook_secret=KEY)
    client.webhooks.verify_signature(body.decode(), dict(arrival.headers))


LIBRARIES: tuple[Callable[[Arrival, bytes], None], ...] = (
    standardwebhooks,
    svix,
    openai,
)
REFUSED = (
    WebhookVerificationError,
    SvixVerificationError,
    InvalidWebhookSignatureError,
)


def verified(arrival: Arrival, body: bytes) -> list[str]:
    """The libraries that take this body for what was signed."""
    taken = []
    for each in LIBRARIES:
        with suppress(*REFUSED):
            each(arrival, body)
            taken.append(each.__name__)
    return taken


@pytest.fixture
def api(start) -> Api:
    server: Server = start()
    one = server.api()
    one.register()
    data = {"name": "partner", "type": "secret", "data": {"value": KEY}}
    one.call("POST", "/credentials", data)
    return one


def signing(url: str, **settings: object) -> dict[str, object]:
    sent = {
        "method": "POST",
        "url": url,
        "json": "{{ trigger.body }}",
        "sign": {"credential": "partner"},
    }
    return {"id": "tell", "uses": "http.request", "with": sent, **settings}


def test_every_example_of_github_is_verified_as_it_arrives(
    api: Api, sink: Sink, payloads: list[Event], figure
):
    made = api.workflow("Signing", signing(f"{sink.url}/in"))

    for first in range(0, len(payloads), AT_ONCE):
        batch = payloads[first : first + AT_ONCE]
        for event in batch:
            assert post(made["webhook_url"], event.payload).status == 202
        sink.wait_for(first + len(batch), within=60)

    arrivals = sink.at("/in")
    names = [each.__name__ for each in LIBRARIES]
    assert [verified(each, each.body) for each in arrivals] == [names] * len(payloads)
    assert [verified(each, each.body + b" ") for each in arrivals] == (
        [[]] * len(payloads)
    )
    sent = sorted(json.dumps(each.payload, sort_keys=True) for each in payloads)
    assert sorted(json.dumps(each.json, sort_keys=True) for each in arrivals) == sent
    figure("payloads, libraries, disagreements", f"{len(payloads)}, {len(names)}, 0")


def test_another_attempt_is_signed_anew_under_the_same_id(api: Api, sink: Sink):
    retry = {"attempts": 3, "base": 1.2, "max": 1.2}
    made = api.workflow("Trying", signing(f"{sink.url}/in?status=503", retry=retry))

    started = post(made["webhook_url"], {"n": 1}).json["execution_id"]
    api.finished(started)

    arrivals = sink.at("/in")
    assert [len(verified(each, each.body)) for each in arrivals] == [3, 3, 3]
    assert {each.headers["webhook-id"] for each in arrivals} == {f"{started}:tell"}
    assert {each.key for each in arrivals} == {f"{started}:tell"}


def test_the_secret_is_in_no_answer_log_or_file(start, sink: Sink):
    server: Server = start()
    api = server.api()
    api.register()
    step = signing(f"{sink.url}/in")
    inline = {**step, "with": {**step["with"], "sign": {"secret": KEY}}}  # type: ignore[dict-item]
    made = api.workflow("Written down", inline)

    api.finished(post(made["webhook_url"], {"n": 1}).json["execution_id"])
    assert server.stop() == 0

    [arrival] = sink.arrivals()
    assert len(verified(arrival, arrival.body)) == len(LIBRARIES)
    assert KEY not in json.dumps(made)
    assert KEY not in server.written()
    held = [each.read_bytes() for each in (server.home / "data").rglob("*.db*")]
    assert held
    assert not [each for each in held if KEY.encode() in each]
