"""What the receiver does about senders who send too much."""

import json

import pytest

from app.domain.errors import Duplicate, Overloaded, RateLimited, StoreUnavailable
from app.domain.execution import Trigger
from app.domain.ledger import Outcome
from app.engine.rates import SharedRates
from app.web import problems
from tests.web.receiving import Rig
from tests.web.test_doors import TOKEN, published

SIGNED = {"authorization": "Bearer s3cret"}


def test_more_webhooks_than_a_second_takes_are_429_and_counted_as_shed():
    rig = Rig(rate=2)
    assert [rig.admit().waits_for_end for _ in range(2)] == [False, False]

    answer = rig.admit().answer()

    assert answer.status == 429
    assert answer.headers["Retry-After"] == "1"
    problem = json.loads(answer.body)
    assert problem["type"] == "/problems/workflow-rate"
    assert "2 webhooks a second" in problem["detail"]
    assert len(rig.desk.runs) == 2
    assert rig.books.outcomes == ["shed"]
    assert rig.books.refused == [("wf_1", Trigger.WEBHOOK, Outcome.SHED)]
    assert rig.books.codes == ["workflow-rate"]

    rig.now += 0.5
    rig.admit()
    assert len(rig.desk.runs) == 3


def test_what_is_refused_for_itself_uses_up_no_rate():
    rig = Rig(rate=1)
    for _ in range(5):
        rig.refused(405, method="GET")
        rig.refused(413, body=problems.too_large(9))

    rig.admit()

    assert len(rig.desk.runs) == 1


def test_a_flood_without_signatures_uses_up_nothing_of_an_honest_senders_rate():
    rig = Rig(rate=3)
    rig.stored.known[TOKEN] = published(verify={"scheme": "bearer", "secret": "s3cret"})
    for _ in range(100):
        rig.refused(401)

    answers = [rig.admit(headers=SIGNED) for _ in range(4)]

    assert len(rig.desk.runs) == 3
    assert answers[3].answer().status == 429


def test_above_the_rate_no_signature_is_computed():
    rig = Rig(rate=1)
    rig.stored.known[TOKEN] = published(verify={"scheme": "bearer", "secret": "s3cret"})
    rig.admit(headers=SIGNED)

    answer = rig.admit().answer()

    assert answer.status == 429
    assert rig.books.outcomes == ["shed"]


def test_what_a_full_queue_refuses_uses_up_no_rate():
    rig = Rig(rate=1)
    rig.desk.full = True
    for _ in range(5):
        assert rig.admit().answer().status == 503

    rig.desk.full = False
    rig.admit()

    assert len(rig.desk.runs) == 1


@pytest.mark.parametrize(
    "error", [Overloaded("full"), StoreUnavailable("away")], ids=["full", "away"]
)
def test_what_the_store_does_not_take_uses_up_no_rate(error):
    rig = Rig(rate=1)
    refused = rig.admit()

    rig.desk.futures[-1].set_exception(error)

    assert refused.answer().status == 503
    assert rig.admit().waits_for_end is False
    assert len(rig.desk.runs) == 2


def test_a_copy_uses_up_what_an_event_does():
    rig = Rig(rate=1)
    rig.admit()
    rig.desk.futures[-1].set_exception(Duplicate("exec_0"))

    assert rig.admit().answer().status == 429


def test_what_the_store_finds_too_much_for_all_processes_is_429_and_shed():
    rig = Rig(rate=5, rates=SharedRates)
    pending = rig.admit()
    [charge] = rig.desk.runs[0].charges

    limited = RateLimited("too many", retry_after=3, code=charge.pace.code)
    rig.desk.futures[-1].set_exception(limited)

    answer = pending.answer()
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "3"
    assert json.loads(answer.body)["type"] == "/problems/workflow-rate"
    assert rig.books.outcomes == ["shed"]
