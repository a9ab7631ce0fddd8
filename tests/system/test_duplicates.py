"""Many copies of one event are one execution, whatever happens in between."""

import socket
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.system import verdict
from tests.system.client import Answer, Api, post, send
from tests.system.copies import SECRET, Copies, github
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

COUNT = 100
GITHUB = {"scheme": "github", "secret": SECRET}
ANSWER = {
    "id": "answer",
    "uses": "respond",
    "with": {"status": 201, "body": {"by": "{{ execution.id }}"}},
}
KEEP = {"id": "keep", "uses": "set", "with": {"value": "{{ execution.id }}"}}
BY_ID = {"dedupe": "trigger.body.id", "respond": "on_finish"}


def workflow(api: Api, *steps: Mapping[str, Any], **trigger: object) -> Any:
    """Create a workflow with this trigger."""
    definition = {"trigger": {"type": "webhook", **trigger}, "steps": list(steps)}
    given = {"name": f"Copies {uuid.uuid4()}", "definition": definition}
    return api.call("POST", "/workflows", given)


def delivery(made: Mapping[str, Any], body: bytes = b'{"id": 7}') -> Copies:
    return Copies(made["webhook_url"], body, github(str(uuid.uuid4()), body))


@pytest.fixture
def server(start) -> Server:
    one: Server = start()
    return one


@pytest.fixture
def api(server: Server) -> Api:
    one = server.api()
    one.register()
    return one


def the_only_execution(api: Api, made: Mapping[str, Any]) -> Any:
    """Wait for the end of the workflow's executions; there must be one."""
    [execution] = api.all_finished(within=30, workflow_id=made["id"])
    assert execution["status"] == "success"
    return execution


def check_books(api: Api, **expected: int) -> None:
    def balanced() -> bool:
        ledger = api.ledger()
        return bool(expected.items() <= ledger.items())

    eventually(balanced, within=10, what=f"the ledger shows {expected}")
    assert verdict.unbalanced(api.ledger()) == []


def test_100_parallel_copies_are_one_execution_and_99_duplicates(
    api: Api, sink: Sink, figure
):
    made = workflow(api, step("tell", f"{sink.url}/tell"), verify=GITHUB)
    copies = delivery(made)

    answers = copies.deliver(COUNT)

    assert Counter(each.status for each in answers) == {202: 1, 200: COUNT - 1}
    assert Counter(each.json["status"] for each in answers) == {
        "queued": 1,
        "duplicate": COUNT - 1,
    }
    execution = the_only_execution(api, made)
    assert {each.json["execution_id"] for each in answers} == {execution["id"]}
    assert [each.key for each in sink.arrivals()] == [f"{execution['id']}:tell"]
    check_books(api, received=COUNT, success=1, duplicate=COUNT - 1)
    figure("tries", dict(copies.tries))


def test_who_waits_for_the_end_hears_the_same_answer_100_times(
    api: Api, sink: Sink, figure
):
    slow = step("tell", f"{sink.url}/tell?seconds=1")
    made = workflow(api, slow, ANSWER, verify=GITHUB, respond="on_finish")
    copies = delivery(made)

    answers = copies.deliver(COUNT)

    execution = the_only_execution(api, made)
    assert {(each.status, each.body) for each in answers} == {
        (201, b'{"by":"%s"}' % execution["id"].encode())
    }
    assert len(sink.arrivals()) == 1
    shed = copies.tries["503"]
    check_books(api, received=COUNT + shed, success=1, duplicate=COUNT - 1, shed=shed)
    figure("tries", dict(copies.tries))


@pytest.mark.parametrize("respond", ["immediately", "on_finish"])
@pytest.mark.parametrize("kills", [1, 3])
def test_a_server_that_dies_in_between_changes_nothing_of_that(
    server: Server, sink: Sink, figure, respond, kills
):
    api = server.api()
    api.register()
    slow = step("tell", f"{sink.url}/tell?seconds=0.7")
    steps = [slow, ANSWER] if respond == "on_finish" else [slow]
    made = workflow(api, *steps, verify=GITHUB, respond=respond)
    copies = delivery(made)

    with ThreadPoolExecutor(1) as sender:
        answers = sender.submit(copies.deliver, COUNT)
        for number in range(kills):
            sink.wait_for(number + 1, within=30)  # it runs, and callers wait
            server.kill()
            server.start()
        told: list[Answer] = answers.result(120)

    execution = the_only_execution(api, made)
    named = {each.json.get("by") or each.json["execution_id"] for each in told}
    assert named == {execution["id"]}
    if respond == "on_finish":
        assert len({(each.status, each.body) for each in told}) == 1
    assert {each.key for each in sink.arrivals()} == {f"{execution['id']}:tell"}
    assert execution["attempt"] == kills + 1
    assert verdict.unbalanced(api.ledger()) == []
    figure("tries", dict(copies.tries))


def test_a_key_is_known_to_the_next_server(server: Server, api: Api):
    made = workflow(api, KEEP, verify=GITHUB)
    copies = delivery(made)
    [first] = copies.deliver(1)

    assert server.stop() == 0
    server.start()

    [again] = copies.deliver(1)
    assert again.json == {"status": "duplicate", **_id_of(first)}


def _id_of(answer: Answer) -> dict[str, str]:
    return {"execution_id": answer.json["execution_id"]}


def test_a_full_instance_tells_a_duplicate_to_come_back(start, sink: Sink):
    server: Server = start(SLUICE_POOL_WORKERS="1", SLUICE_POOL_QUEUE="0")
    api = server.api()
    api.register()
    made = workflow(
        api, step("tell", f"{sink.url}/tell?held=1"), dedupe="trigger.body.id"
    )
    first = post(made["webhook_url"], {"id": 7})
    sink.wait_for(1, within=10)

    full = post(made["webhook_url"], {"id": 7})
    sink.release()
    api.finished(first.json["execution_id"])
    again = eventually(
        lambda: _unless_full(post(made["webhook_url"], {"id": 7})),
        within=10,
        what="a seat is free",
    )

    assert again is not None
    assert full.status == 503
    assert int(full.headers["retry-after"]) >= 1
    assert again.json == {"status": "duplicate", **_id_of(first)}


def _unless_full(answer: Answer) -> Answer | None:
    return None if answer.status == 503 else answer


def test_after_an_answer_that_asks_for_another_try_the_next_copy_runs(api: Api):
    said = {**ANSWER, "with": {"status": "{{ trigger.body.status }}"}}
    made = workflow(api, said, **BY_ID)

    answers = [
        post(made["webhook_url"], {"id": 7, "status": status})
        for status in (503, 500, 599, 202, 500)
    ]

    assert [each.status for each in answers] == [503, 500, 599, 202, 202]
    assert len(list(api.executions(workflow_id=made["id"]))) == 4


class Caller:
    """A sender who may hang up."""

    def __init__(self, hook: str, body: bytes = b'{"id": 7}') -> None:
        parts = urlsplit(hook)
        self._socket = socket.create_connection((parts.hostname, parts.port), 10)
        self._socket.sendall(
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            "".encode()
            + body
        )

    def hang_up(self) -> None:
        self._socket.close()


def test_a_sender_who_hangs_up_cancels_the_run_and_its_next_copy_runs(
    api: Api, sink: Sink
):
    made = workflow(api, step("tell", f"{sink.url}/tell?held=1"), ANSWER, **BY_ID)
    caller = Caller(made["webhook_url"])
    sink.wait_for(1, within=10)

    caller.hang_up()
    [first] = api.all_finished(within=10, workflow_id=made["id"])
    sink.release()
    again = post(made["webhook_url"], {"id": 7})

    assert first["status"] == "cancelled"
    assert again.status == 201
    assert again.json["by"] != first["id"]


def test_a_run_goes_on_as_long_as_one_copy_waits_for_it(
    server: Server, api: Api, sink: Sink
):
    made = workflow(api, step("tell", f"{sink.url}/tell?held=1"), ANSWER, **BY_ID)
    hook = made["webhook_url"]
    first = Caller(hook)
    sink.wait_for(1, within=10)
    with ThreadPoolExecutor(1) as other:
        second: Future[Answer] = other.submit(post, hook, {"id": 7})
        eventually(
            lambda: api.ledger()["duplicate"] == 1,
            within=10,
            what="the copy is counted",
        )

        first.hang_up()
        eventually(
            lambda: b'status="408"' in send("GET", f"{server.url}/metrics").body,
            within=10,
            what="the server has noticed",
        )
        sink.release()
        answer = second.result(20)

    [execution] = api.all_finished(within=10, workflow_id=made["id"])
    assert execution["status"] == "success"
    assert (answer.status, answer.json) == (201, {"by": execution["id"]})
    assert len(sink.arrivals()) == 1


def test_one_id_in_two_workflows_and_two_tenants_runs_in_each(start):
    server: Server = start(SLUICE_SIGNUP="open")
    apis = [server.api(), server.api()]
    for number, each in enumerate(apis):
        account = {
            "email": f"miller{number}@example.com",
            "password": "a-password-that-is-long",
            "tenant": f"Mill {number}",
        }
        each.key = each.call("POST", "/auth/register", account)["api_key"]
    doors = [workflow(each, KEEP, verify=GITHUB) for each in (*apis, apis[0])]
    body = b"{}"
    headers = github("one-id", body)

    answers = [
        send("POST", made["webhook_url"], body=body, headers=headers)
        for made in doors * 2
    ]

    assert [each.status for each in answers] == [202] * 3 + [200] * 3
    ids = [each.json["execution_id"] for each in answers]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == 3
