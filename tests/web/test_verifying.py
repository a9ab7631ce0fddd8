"""Who sent a delivery: the whole service in this process, from request to run."""

import json
import time

import pytest

from tests.security.signatures.senders import SENDERS, Sent
from tests.web.conftest import definition, hook_of
from tests.web.signed import BODY, PUBLIC, deliver, guarded, named, refused, send

pytestmark = pytest.mark.usefixtures("way_in")

ACCEPTED = {"mailgun": 200, "linear": 200, "meta": 200}


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_every_schemes_delivery_is_accepted_and_run(api, client, sender):
    hook = guarded(api, sender)

    answer = send(client, hook, sender)

    assert answer.status_code == ACCEPTED.get(sender.scheme, 202)
    assert answer.json["status"] == "queued"
    found = api.call("GET", f"/executions/{answer.json['execution_id']}")
    assert found["trigger"] == "webhook"


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_every_schemes_forgery_is_401_in_the_same_words(api, client, sender):
    hook = guarded(api, sender)
    sent = sender.send(BODY, now=time.time(), url=PUBLIC + hook, secret="")
    told = [refused(deliver(client, hook, Sent(BODY, {}, sent.query)))]
    if sender.tolerance is not None:
        old = time.time() - sender.tolerance - 60
        stale = sender.send(BODY, now=old, url=PUBLIC + hook)
        told.append(refused(deliver(client, hook, stale)))
    for name in sent.headers.keys() - {"Linear-Delivery"}:
        for value in ("\u00e9" * 40, "x" * 1_000_000, "v1=" + "0" * 64, ""):
            forged = {**sent.headers, name: value}
            told.append(
                refused(deliver(client, hook, Sent(sent.body, forged, sent.query)))
            )
    if sender.covers_body:
        changed = bytes([sent.body[0] ^ 1]) + sent.body[1:]
        told.append(
            refused(deliver(client, hook, Sent(changed, sent.headers, sent.query)))
        )

    assert all(each == told[0] for each in told)


@pytest.mark.parametrize(
    "sender", [each for each in SENDERS if each.covers_body], ids=str
)
def test_a_signature_over_the_reserialised_body_is_refused(api, client, sender):
    hook = guarded(api, sender)
    spaced = b'{ "a" : 1.0,\n"b": "\\u00e9" }'
    compact = json.dumps(json.loads(spaced), separators=(",", ":")).encode()
    sent = sender.send(compact, now=time.time(), url=PUBLIC + hook)
    body = spaced if sender.scheme != "linear" else sent.body.replace(b" ", b"  ")

    refused(deliver(client, hook, Sent(body, sent.headers, sent.query)))


def test_the_body_counts_as_it_came_and_not_as_it_is_parsed(api, client):
    hook = guarded(api, named("github"))

    for body in (b"\xff\x00 no text", b"", b"payload=%7B%7D", b'{"a":1,"a":2}'):
        assert send(client, hook, named("github"), body).status_code == 202


def test_the_reason_is_in_the_log_and_the_metrics_and_nowhere_else(
    api, client, caplog, app
):
    hook, sender = guarded(api, named("slack")), named("slack")
    caplog.set_level("WARNING", "app.web.receive")
    sent = sender.send(BODY, now=time.time() - 999)
    told = [
        deliver(client, hook, Sent(BODY, {})),
        deliver(client, hook, sent),
        deliver(client, hook, sender.send(BODY, now=time.time(), secret=sender.wrong)),
        deliver(client, hook, Sent(BODY, {**sent.headers, "X-Slack-Signature": "x"})),
    ]

    lines = [each for each in caplog.records if "refused" in each.message]
    assert [vars(each)["reason"] for each in lines] == [
        "missing",
        "stale",
        "bad",
        "malformed",
    ]
    assert {vars(each)["scheme"] for each in lines} == {"slack"}
    assert len({answer.json["detail"] for answer in told}) == 1
    metrics = client.get("/metrics").text
    assert 'sluice_signatures_refused_total{reason="stale",scheme="slack"}' in metrics
    assert 'sluice_webhooks_total{outcome="unverified"}' in metrics


def test_a_refused_signature_and_a_handshake_are_in_the_books(api, app, client):
    sender = named("slack")
    made = api.workflow("Books", verify=sender.verify)
    hook = hook_of(made)
    deliver(client, hook, Sent(BODY, {}))
    challenge = b'{"type": "url_verification", "challenge": "c"}'
    assert send(client, hook, sender, challenge).status_code == 200
    send(client, hook, sender)

    app.extensions["services"].refusals.flush()

    books = api.call("GET", f"/ledger?workflow_id={made['id']}")
    told = [books[each] for each in ("received", "rejected", "handshake", "success")]
    assert told[:3] == [3, 1, 1]
    assert books["balanced"] is True


def test_two_secrets_count_while_one_replaces_the_other(api, client):
    sender = named("github")
    verify = {"scheme": "github", "secret": [sender.wrong, sender.secret]}
    hook = hook_of(api.workflow("Rotating", verify=verify))

    for secret in (sender.secret, sender.wrong):
        assert (
            deliver(client, hook, sender.send(BODY, secret=secret)).status_code == 202
        )
    refused(deliver(client, hook, sender.send(BODY, secret="a-third")))


def test_a_header_that_holds_the_secret_is_not_kept(api, client):
    for scheme in ("gitlab-token", "telegram", "token", "bearer", "basic"):
        sender = named(scheme)
        answer = send(client, guarded(api, sender), sender)
        path = f"/executions/{answer.json['execution_id']}/request"
        kept = api.call("GET", path)["headers"]
        assert (
            kept.keys() & {name.lower() for name in sender.send(BODY).headers} == set()
        )
        assert sender.secret not in str(kept)


@pytest.mark.parametrize("scheme", ["square", "twilio", "hmac"])
def test_the_url_that_is_signed_is_ours_whatever_the_host_header_says(
    api, client, scheme
):
    sender = named(scheme)
    hook = guarded(api, sender)
    sent = sender.send(BODY, now=time.time(), url=PUBLIC + hook)
    forged = sender.send(BODY, now=time.time(), url="http://evil.example" + hook)
    lies = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    right = deliver(client, hook, Sent(sent.body, sent.headers | lies, sent.query))
    wrong = deliver(client, hook, Sent(sent.body, forged.headers | lies, sent.query))

    assert right.status_code == 202
    refused(wrong)


@pytest.mark.parametrize("scheme", ["square", "twilio", "hmac"])
def test_a_url_of_the_senders_own_can_be_named(api, client, scheme):
    sender, url = named(scheme), "https://gateway.example:8443/in"
    hook = guarded(api, sender, url=url)

    def told(signed_url: str, path: str = hook) -> int:
        sent = sender.send(BODY, now=time.time(), url=signed_url)
        status: int = deliver(client, path, sent).status_code
        return status

    assert told(url) == 202
    assert told(f"{url}/more%20path", f"{hook}/more%20path") in (200, 202)
    assert told(PUBLIC + hook) == 401


def test_query_and_further_path_are_part_of_the_signed_url(api, client):
    sender = named("square")
    hook = guarded(api, sender)
    sent = sender.send(BODY, url=f"{PUBLIC}{hook}/a/b?x=1&y=%C3%A9")

    answer = client.post(f"{hook}/a/b?x=1&y=%C3%A9", data=BODY, headers=sent.headers)

    assert answer.status_code == 202
    assert (
        client.post(f"{hook}/a/b?x=2", data=BODY, headers=sent.headers).status_code
        == 401
    )


def test_without_verify_nobody_is_asked_who_he_is(api, client):
    hook = hook_of(api.workflow())

    answer = client.post(f"{hook}?validationToken=x", data=BODY)

    assert answer.status_code == 202


def test_a_change_of_the_secret_counts_at_once(api, client):
    sender = named("github")
    made = api.workflow("Changing", verify=sender.verify)
    hook = hook_of(made)
    assert send(client, hook, sender).status_code == 202

    changed = definition(verify={"scheme": "github", "secret": sender.wrong})
    api.call("PUT", f"/workflows/{made['id']}", {"definition": changed})

    refused(send(client, hook, sender))
    assert (
        deliver(client, hook, sender.send(BODY, secret=sender.wrong)).status_code == 202
    )


def test_a_wrong_method_and_a_wrong_body_are_told_before_a_wrong_signature(api, client):
    hook = guarded(api, named("github"))

    assert client.put(hook, data=BODY).status_code == 405
    assert client.post(hook, data=b"x" * ((1 << 20) + 1)).status_code == 413


def test_what_is_no_json_is_told_only_to_those_who_signed_it(api, client):
    sender = named("github")
    hook = hook_of(api.workflow("Strict", verify=sender.verify, accept="json"))

    refused(deliver(client, hook, Sent(b"{", {})))
    assert send(client, hook, sender, b"{").status_code == 400
