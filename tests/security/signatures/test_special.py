"""Twilio, Mailgun and Graph, which sign in ways of their own."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from app.security.signatures.presets import PRESETS
from app.security.signatures.scheme import delivery_id
from app.security.signatures.signed import Signed, Verdict
from tests.security.signatures.requests import signed, verdict
from tests.security.signatures.senders import SENDERS, Sender, Sent, mac, text

FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def named(scheme: str) -> Sender:
    return next(each for each in SENDERS if each.scheme == scheme)


def form(url: str, *fields: tuple[str, str], algorithm: str = "sha1") -> Signed:
    """A form, signed as Twilio documents it."""
    message = url + "".join(n + v for n, v in sorted(set(fields)))
    signature = text(mac(named("twilio").secret.encode(), message.encode(), algorithm))
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
    base, _, query = url.partition("?")
    sent = Sent(urlencode(fields).encode(), headers, query)
    return signed(sent, url=base)


def told(request: Signed) -> Verdict:
    return verdict(named("twilio"), request)


def test_the_fields_of_a_form_count_sorted_and_once_each():
    url = "https://a.example/hooks/x"

    for fields in (
        [("b", "2"), ("a", "1")],
        [("a", "2"), ("a", "1"), ("a", "1")],
        [("Body", "caf\u00e9 \U0001f33e + &"), ("empty", "")],
        [],
    ):
        assert told(form(url, *fields)) is Verdict.OK


def test_a_changed_added_or_missing_field_is_refused():
    request = form("https://a.example/hooks/x", ("a", "1"), ("b", "2"))

    for body in (b"a=1&b=3", b"a=1&b=2&c=3", b"a=1", b"", b"a=1&b=2&b=3"):
        assert told(replace(request, body=body)) is Verdict.BAD


def test_the_newer_algorithm_is_accepted_as_well():
    request = form("https://a.example/x", ("a", "1"), algorithm="sha256")

    assert told(request) is Verdict.OK


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://a.example/x", "https://a.example:443/x"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example/x", "http://a.example:80/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example:8443/x", "https://a.example/x"),
        ("https://[::1]/x", "https://[::1]:443/x"),
        ("https://[::1]:8443/x", "https://[::1]/x"),
    ],
)
def test_the_url_counts_with_its_port_and_without(ours, theirs):
    assert told(replace(form(theirs, ("a", "1")), url=ours)) is Verdict.OK


def test_another_host_path_or_query_is_refused():
    request = form("https://a.example/x?y=1", ("a", "1"))

    for other in (
        replace(request, url="https://b.example/x"),
        replace(request, url="http://a.example/x"),
        replace(request, url="https://a.example/x/"),
        replace(request, query="y=2"),
        replace(request, query=""),
    ):
        assert told(other) is Verdict.BAD


def test_a_body_that_is_no_form_must_have_its_hash_in_the_url():
    body = b'{"a": 1}'
    digest = hashlib.sha256(body).hexdigest()

    def json_request(query: str) -> Signed:
        url = f"https://a.example/x?{query}" if query else "https://a.example/x"
        request = form(url)
        headers = {**request.headers, "content-type": b"application/json"}
        return replace(request, headers=headers, body=body)

    assert told(json_request(f"bodySHA256={digest}")) is Verdict.OK
    assert told(json_request(f"a=1&bodySHA256={digest.upper()}")) is Verdict.OK
    for query in ("", "a=1", "bodySHA256=", f"bodySHA256={'0' * 64}", "bodySHA256=%ff"):
        assert told(json_request(query)) is Verdict.BAD
    twice = f"bodySHA256={digest}&bodySHA256={digest}"
    assert told(json_request(twice)) is Verdict.BAD


def test_a_request_without_a_body_needs_no_hash():
    request = form("https://a.example/x?CallSid=CA1")
    bare = {k: v for k, v in request.headers.items() if k != "content-type"}

    assert told(replace(request, headers=bare, method="GET")) is Verdict.OK


def test_a_form_with_too_many_fields_is_malformed():
    request = form("https://a.example/x", ("a", "1"))

    assert told(replace(request, body=b"a&" * 5000)) is Verdict.MALFORMED


def test_each_status_of_a_message_is_a_delivery_of_its_own():
    url = "https://a.example/x"
    sent = form(url, ("MessageSid", "SM1"), ("MessageStatus", "sent"))
    read = form(url, ("MessageSid", "SM1"), ("MessageStatus", "read"))
    call = form(url, ("CallSid", "CA1"), ("CallStatus", "in-progress"))

    ids = [delivery_id(PRESETS["twilio"], each) for each in (sent, read, call)]

    assert ids == ["SM1:sent", "SM1:read", None]


def test_mailguns_older_routes_sign_in_fields_of_a_form():
    sent = named("mailgun").send(b"{}")
    fields = json.loads(sent.body)["signature"] | {"subject": "hi"}
    headers = {"Content-Type": FORM}
    request = signed(Sent(urlencode(fields).encode(), headers))

    assert verdict(named("mailgun"), request) is Verdict.OK
    assert delivery_id(PRESETS["mailgun"], request) == fields["token"]
    assert verdict(named("mailgun"), replace(request, body=b"a=1")) is Verdict.MISSING


def test_mailguns_token_is_what_is_signed_and_not_the_event():
    mailgun = named("mailgun")
    value = json.loads(mailgun.send(b"{}").body)
    value["signature"]["token"] += "0"
    changed = Sent(json.dumps(value).encode(), {})

    assert verdict(mailgun, signed(changed)) is Verdict.BAD


GRAPH = [
    ([{"clientState": "a-shared-secret"}], "ok"),
    ([{"clientState": "a-shared-secret"}] * 1000, "ok"),
    ([{"clientState": "a-shared-secret"}] * 1001, "malformed"),
    ([{"clientState": "a-shared-secret"}, {"clientState": "x"}], "bad"),
    ([{"clientState": "x"}, {"clientState": "a-shared-secret"}], "bad"),
    ([{"clientState": "a-shared-secret"}, {}], "missing"),
    ([{"clientState": None}], "missing"),
    ([{"clientState": ""}], "bad"),
    ([{"clientState": ["a-shared-secret"]}], "missing"),
    ([{"clientState": "a-shared-secret"}, 7], "malformed"),
    ([], "missing"),
    ({}, "missing"),
    (None, "missing"),
]


@pytest.mark.parametrize(("items", "expected"), GRAPH, ids=str)
def test_every_item_of_graph_must_know_the_client_state(items, expected):
    request = signed(Sent(json.dumps({"value": items}).encode(), {}))

    assert verdict(named("graph"), request) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"\xff", b'{"value": 1}'])
def test_what_is_no_list_of_items_is_not_from_graph(body):
    assert verdict(named("graph"), signed(Sent(body, {}))) is Verdict.MISSING


def test_changes_of_graph_without_ids_are_told_apart_by_their_tags():
    def name(**tag: str) -> str | None:
        item = {"subscriptionId": "s", "resource": "r", "resourceData": tag}
        body = json.dumps({"value": [item]}).encode()
        return delivery_id(PRESETS["graph"], signed(Sent(body, {})))

    first, second = name(**{"@odata.etag": "1"}), name(**{"@odata.etag": "2"})

    assert None not in (first, second)
    assert first != second
    assert name() is None
