"""A sender's trace context: from the request to the execution, the log and beyond."""

import pytest

from app.telemetry import traces
from tests.connectors.serving import Server, answer, answering
from tests.web.conftest import hook_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def outside():
    server = Server(answering(answer(b"{}")), None)
    yield server
    server.close()


def call(server, **headers):
    settings = {"method": "POST", "url": server.url(), "headers": headers}
    return {"id": "call", "uses": "http.request", "with": settings}


def sent(server):
    """The values of `traceparent` in what reached the server."""
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode().lower()
    lines = [each.partition(": ") for each in head.split("\r\n")]
    return [value for name, _, value in lines if name == "traceparent"]


def traced(store, api, execution_id):
    tenant_id = api.call("GET", "/me")["tenant"]["id"]
    return store.executions.get(tenant_id, execution_id).trace


def posted(api, client, workflow, *given):
    """Post an event with these headers, wait for its end, return the execution's id."""
    answer = client.post(hook_of(workflow), data=b"{}", headers=list(given))
    execution_id = answer.json["execution_id"]
    api.call("GET", f"/executions/{execution_id}")
    return execution_id


def test_a_senders_trace_goes_on_through_the_execution_to_the_servers_it_calls(
    api, client, store, outside
):
    made = api.workflow("Traced", call(outside), respond="on_finish")

    answer = client.post(hook_of(made), data=b"{}", headers={"traceparent": SENDER})

    assert answer.status_code == 200
    assert sent(outside) == [SENDER]


def test_a_manual_run_may_be_part_of_a_trace_too(api, store, outside):
    made = api.workflow("Traced", call(outside))

    answer = api.ask(
        "POST",
        f"/workflows/{made['id']}/run",
        {"input": {}, "wait": 20},
        headers={"traceparent": SENDER},
    )

    assert answer.status_code == 200
    assert sent(outside) == [SENDER]
    assert traced(store, api, answer.json["id"]) == SENDER


@pytest.mark.parametrize(
    "given",
    [
        [],
        [("traceparent", "nonsense")],
        [("traceparent", f"00-{'0' * 32}-00f067aa0ba902b7-01")],
        [("traceparent", SENDER), ("Traceparent", SENDER)],
        [("traceparent", SENDER + "\u00e9")],
    ],
    ids=["none", "nonsense", "of zeros", "two", "no ASCII"],
)
def test_without_a_good_context_there_is_no_trace(api, client, store, given):
    execution_id = posted(api, client, api.workflow(), *given)

    assert traced(store, api, execution_id) is None


def test_nothing_is_sent_out_of_a_run_without_a_trace(api, outside):
    api.run(api.workflow("Plain", call(outside)), {})

    assert sent(outside) == []


def test_the_authors_own_header_wins(api, outside):
    own = SENDER.replace("4bf9", "aaaa")
    made = api.workflow("Own", call(outside, Traceparent=own))

    api.ask(
        "POST",
        f"/workflows/{made['id']}/run",
        {"input": {}, "wait": 20},
        headers={"traceparent": SENDER},
    )

    assert sent(outside) == [own]


def test_a_refused_request_is_named_by_its_trace_in_the_log(api, client, caplog):
    signed = api.workflow("Signed", verify={"scheme": "github", "secret": "s3cret"})

    answer = client.post(hook_of(signed), data=b"{}", headers={"traceparent": SENDER})

    assert answer.status_code == 401
    assert traces.here() is traces.NOTHING
    refused = [e for e in caplog.records if e.msg == "Webhook signature refused"]
    assert [each.__dict__["trace_id"] for each in refused] == [TRACE]
