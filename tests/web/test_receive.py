"""The receiver without Flask, as an event loop would use it."""

import json
from concurrent.futures import Future

import pytest

from app.domain.dedupe import key_of_value
from app.domain.errors import Duplicate, StoreUnavailable
from app.domain.execution import Execution, Trigger
from app.domain.ledger import Outcome
from app.web import problems
from app.web.outcomes import Answer
from app.web.pending import Pending
from tests.web.receiving import Rig
from tests.web.test_doors import TOKEN, published


@pytest.fixture
def rig():
    return Rig()


def test_an_event_is_answered_only_after_its_commit(rig):
    answers: list[Answer] = []
    pending = rig.admit()
    pending.when_answered(answers.append)
    assert answers == []

    rig.desk.commit()

    [answer] = answers
    assert answer.status == 202
    assert answer == pending.answer()
    assert json.loads(answer.body) == {"status": "queued", "execution_id": "exec_1"}
    assert answer.headers["Location"] == "/api/v1/executions/exec_1"
    assert rig.books.outcomes == ["accepted"]


def test_an_event_runs_in_the_name_of_the_versions_author(rig):
    rig.admit()

    [run] = rig.desk.runs
    assert (run.user_id, run.trigger) == ("user_1", Trigger.WEBHOOK)


def test_what_came_in_is_kept_but_secrets_are_not(rig):
    rig.admit(
        path="/a/b",
        query="x=1&y=&x=2&z=%ff&=e",
        headers={
            "x-one": "a,b",
            "content-type": "text/plain",
            "authorization": "secret",
            "cookie": "secret",
            "proxy-authorization": "secret",
        },
        body=b"\x00\xff",
    )

    payload = rig.desk.runs[0].payload
    assert payload.body == b"\x00\xff"
    assert payload.headers == {"x-one": "a,b", "content-type": "text/plain"}
    assert payload.query == {"x": ["1", "2"], "y": "", "z": "\ufffd", "": "e"}
    assert (payload.path, payload.content_type) == ("/a/b", "text/plain")


def test_unknown_and_closed_doors_answer_alike(rig):
    _, unknown = rig.refused(404, token="x" * 32)
    rig.stored.known[TOKEN] = published(type="manual")
    _, closed = rig.refused(404)

    assert unknown == closed
    assert rig.books.outcomes == ["unknown", "rejected"]
    assert rig.books.refused == [("wf_1", Trigger.WEBHOOK, Outcome.REJECTED)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "BREW", "post"])
def test_a_method_that_the_trigger_does_not_name_is_405(rig, method):
    answer, problem = rig.refused(405, method=method)

    assert answer.headers["Allow"] == "POST, PUT"
    assert "POST, PUT" in problem["detail"]
    assert rig.books.refused == [("wf_1", Trigger.WEBHOOK, Outcome.REJECTED)]


def test_a_body_that_could_not_be_read_is_refused_as_it_was_told(rig):
    _, problem = rig.refused(400, body=problems.malformed("broke off"))

    assert problem["detail"] == "broke off"
    assert rig.books.refused == [("wf_1", Trigger.WEBHOOK, Outcome.REJECTED)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b"NaN"),
        ("application/json", b"[" * 100_000),
        ("application/json", b"\xef\xbb\xbf{}"),
        ("text/plain", b"{}"),
        ("application/x-www-form-urlencoded", b"{}"),
    ],
    ids=repr,
)
def test_where_only_json_is_taken_anything_else_is_400(rig, kind, body):
    rig.stored.known[TOKEN] = published(accept="json")
    headers = {"content-type": kind}

    _, problem = rig.refused(400, headers=headers, body=body[:100])

    assert problem["type"] == "/problems/not-json"


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=utf-8", "application/x+json", ""],
)
def test_where_only_json_is_taken_every_json_type_and_none_will_do(rig, kind):
    rig.stored.known[TOKEN] = published(accept="json")

    rig.admit(headers={"content-type": kind})

    assert len(rig.desk.runs) == 1


def test_a_full_house_is_told_at_once_and_not_counted_twice(rig):
    rig.desk.full = True

    answer, problem = rig.refused(503)

    assert answer.headers["Retry-After"] == "2"
    assert problem["type"] == "/problems/queue-full"
    assert rig.books.outcomes == ["shed"]
    assert rig.books.refused == []


def test_a_commit_that_fails_is_503_and_promises_nothing(rig):
    pending = rig.admit()

    rig.desk.futures[0].set_exception(StoreUnavailable("the disk is full"))

    answer = pending.answer()
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert rig.books.outcomes == ["failed"]


def test_a_commit_that_takes_too_long_is_503():
    never: Future[Execution] = Future()

    answer = Pending(never, request_id="req_1", patience=0.01).answer()

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert json.loads(answer.body)["type"] == "/problems/too-late"


def test_a_store_that_cannot_be_read_is_503(rig):
    def fail() -> None:
        raise StoreUnavailable("no connection")

    rig.stored.then.append(fail)

    rig.refused(503)


def test_a_fault_of_ours_reaches_a_callback_as_500_and_the_log(rig, caplog):
    answers: list[Answer] = []
    rig.admit().when_answered(answers.append)

    rig.desk.futures[0].set_exception(RuntimeError("shelf 7"))

    [answer] = answers
    assert answer.status == 500
    assert b"shelf" not in answer.body
    assert "shelf 7" in caplog.text
    caplog.clear()


def test_a_refused_delivery_calls_back_at_once(rig):
    answers: list[Answer] = []
    rig.admit(token="x" * 32).when_answered(answers.append)

    assert [each.status for each in answers] == [404]


def waits_for_its_end(rig):
    rig.stored.known[TOKEN] = published(respond="on_finish")
    return rig


def test_whoever_waits_for_the_end_needs_a_thread_and_others_do_not(rig):
    assert not rig.admit().waits_for_end
    assert waits_for_its_end(Rig()).admit().waits_for_end


def test_a_place_to_wait_is_free_again_when_nothing_was_stored():
    rig = waits_for_its_end(Rig())
    rig.desk.full = True
    for _ in range(3):
        assert json.loads(rig.admit().answer().body)["detail"] == "full"

    rig.desk.full = False
    pending = rig.admit()
    rig.desk.futures[-1].set_exception(StoreUnavailable("the disk is full"))
    assert pending.answer().status == 503

    assert rig.admit().waits_for_end


def test_without_a_place_to_wait_nothing_is_stored_and_it_counts_as_shed():
    rig = waits_for_its_end(Rig())
    rig.admit()

    answer = rig.admit().answer()

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "1"
    assert len(rig.desk.runs) == 1
    assert rig.books.refused == [("wf_1", Trigger.WEBHOOK, Outcome.SHED)]


def test_a_duplicate_is_answered_with_the_first_ones_id_and_counted(rig):
    answers: list[Answer] = []
    rig.admit().when_answered(answers.append)

    rig.desk.futures[0].set_exception(Duplicate("exec_0"))

    [answer] = answers
    assert answer.status == 200
    assert json.loads(answer.body) == {"status": "duplicate", "execution_id": "exec_0"}
    assert answer.headers["Location"] == "/api/v1/executions/exec_0"
    assert rig.books.outcomes == ["duplicate"]
    assert rig.books.refused == []


def test_only_a_verified_sender_names_the_key_of_a_delivery(rig):
    rig.stored.known[TOKEN] = published(
        dedupe="trigger.body.id", verify={"scheme": "bearer", "secret": "s3cret"}
    )
    for headers in ({}, {"authorization": "Bearer s3cret"}):
        rig.admit(headers=headers, body=b'{"id": 7}')

    [run] = rig.desk.runs
    assert run.dedupe == key_of_value(7)
