from datetime import timedelta

import pytest

from app.domain.execution import FINAL, Failure, Reason, Status, Trigger
from app.store.protocol import ExecutionFilter
from tests.store.company import HOUR, LATER, NOON, id_of

SECOND = timedelta(seconds=1)


def listed(company, *, limit=50, before=None, **wanted):
    found = company.executions.list(
        company.id, ExecutionFilter(**wanted), limit=limit, before=before
    )
    return [each.id for each in found]


def in_state(company, status):
    """Record an execution and bring it into a state the way the engine does."""
    if status in (Status.UNKNOWN, Status.QUARANTINED, Status.QUEUED):
        return company.accept(status=status)
    held = company.run()
    if status is Status.WAITING:
        company.executions.park(
            held, [], reason=Reason.DELAY, wake_at=LATER, segments=[]
        ).result(timeout=5)
    if status in FINAL:
        company.finish(held, status=status)
    return held


def test_executions_come_newest_first_and_as_they_are(company):
    older, newer = company.accept(), company.run()

    found = company.executions.list(
        company.id, ExecutionFilter(), limit=10, before=None
    )

    assert found == [newer, older]


def test_pages_follow_each_other_without_gap_or_overlap(company):
    ids = [company.accept().id for _ in range(7)]

    first = listed(company, limit=3)
    second = listed(company, limit=3, before=first[-1])
    third = listed(company, limit=3, before=second[-1])

    assert (first, second, third) == (ids[:3:-1], ids[3:0:-1], ids[:1])
    assert listed(company, limit=3, before=third[-1]) == []


def test_a_list_shows_one_tenant(company, other):
    mine, theirs = company.accept(key="k"), other.accept(key="k")

    assert listed(company) == [mine.id]
    assert listed(other) == [theirs.id]
    assert listed(company, workflow_id=other.workflow.id) == []
    assert listed(company, q=theirs.id) == []
    assert listed(company, q=other.workflow.name) == [mine.id]
    assert listed(company, q="k") == [mine.id]
    assert listed(company, status=Status.QUEUED) == [mine.id]
    assert listed(company, before=theirs.id) == [mine.id]


def test_a_list_can_be_of_one_workflow(company):
    second = company.another(name="Second")
    company.accept()
    mine = [company.accept(workflow_id=second.id).id for _ in range(3)]

    assert listed(company, workflow_id=second.id) == mine[::-1]
    assert listed(company, workflow_id=second.id, before=mine[2], limit=1) == [mine[1]]
    assert listed(company, workflow_id="wf_none") == []


@pytest.mark.parametrize("status", list(Status))
def test_a_list_can_be_of_one_state(company, status):
    everything = {each: in_state(company, each).id for each in Status}
    second = in_state(company, status).id

    assert listed(company, status=status) == [second, everything[status]]
    assert listed(company, status=status, limit=1) == [second]
    assert listed(company, status=status, before=second) == [everything[status]]


@pytest.mark.parametrize("trigger", list(Trigger))
def test_a_list_can_be_of_one_trigger(company, trigger):
    everything = {each: company.accept(trigger=each).id for each in Trigger}

    assert listed(company, trigger=trigger) == [everything[trigger]]


def test_a_list_can_be_of_a_stretch_of_time(company):
    first, second, third = (
        company.accept(created_at=at, id=id_of(at)).id
        for at in (NOON + n * SECOND for n in range(3))
    )

    assert listed(company, since=NOON + SECOND) == [third, second]
    assert listed(company, until=NOON + SECOND) == [first]
    assert listed(company, since=NOON, until=NOON + 2 * SECOND) == [second, first]


def test_parts_of_a_filter_all_apply(company):
    second = company.another(name="Second")
    everything = {"workflow_id": second.id, "key": "k", "trigger": Trigger.MANUAL}
    wanted = company.run(id=id_of(NOON), **everything)
    for name in everything:
        others = {each: everything[each] for each in everything if each != name}
        company.run(id=id_of(NOON), **others)
    company.accept(id=id_of(NOON), **everything)

    assert listed(
        company,
        workflow_id=second.id,
        status=Status.RUNNING,
        trigger=Trigger.MANUAL,
        since=NOON,
        until=LATER,
        q="k",
    ) == [wanted.id]


def test_text_finds_the_beginning_of_an_id(company):
    first, second = company.accept().id, company.accept().id

    assert listed(company, q=first) == [first]
    assert listed(company, q=first[:-1]) == [first]
    assert listed(company, q="exec_") == [second, first]
    assert listed(company, q=first[1:]) == []


def test_text_finds_part_of_a_workflows_name_in_any_case(company):
    second = company.another(name="Große RECHNUNG 50%_x")
    company.accept()
    billed = company.accept(workflow_id=second.id).id

    assert listed(company, q="rechnung") == [billed]
    assert listed(company, q="GROSSE") == [billed]
    assert listed(company, q="50%_x") == [billed]
    assert listed(company, q="50_x") == []
    assert listed(company, q="g%x") == []


def test_text_finds_the_whole_key(company):
    keyed = company.accept(key="customer 7").id
    company.accept(key="customer 77")

    assert listed(company, q="customer 7") == [keyed]
    assert listed(company, q="customer") == []


def test_text_finds_an_error_code(company):
    timed_out, refused = company.run(), company.run()
    company.finish(
        timed_out, status=Status.FAILED, error=Failure("timeout", "too slow")
    )
    company.finish(
        refused, status=Status.FAILED, error=Failure("http-status", "timeout")
    )

    assert listed(company, q="timeout") == [timed_out.id]


def test_what_text_finds_in_several_ways_is_listed_once_and_in_order(company):
    by_name = company.another(name="order 7 again")
    ids = [
        company.accept(workflow_id=by_name.id, key="order 7").id,
        company.accept(key="order 7").id,
        company.accept(workflow_id=by_name.id).id,
    ]

    assert listed(company, q="order 7") == ids[::-1]
    assert listed(company, q="order 7", limit=2) == [ids[2], ids[1]]
    assert listed(company, q="order 7", before=ids[1]) == [ids[0]]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize(
    "wanted", [{}, {"trigger": Trigger.WEBHOOK}, {"trigger": Trigger.MANUAL}]
)
def test_pages_of_what_a_name_finds_follow_each_other(company, other, limit, wanted):
    """A busy workflow, one that rests, one that never ran, and one of another name."""
    busy, resting = company.another(name="Bill 1"), company.another(name="The BILL")
    company.another(name="bills of old")
    theirs = other.another(name="bill")
    shown: list[str] = []
    for number, of in enumerate([resting, busy, busy, resting, *[busy] * 5, resting]):
        trigger = (Trigger.WEBHOOK, Trigger.MANUAL)[number % 2]
        made = company.accept(workflow_id=of.id, trigger=trigger).id
        company.accept(trigger=trigger)
        other.accept(workflow_id=theirs.id, trigger=trigger)
        if wanted.get("trigger") in (None, trigger):
            shown.insert(0, made)

    found, page = [], [None]
    while page:
        page = listed(company, q="bill", limit=limit, before=page[-1], **wanted)
        found += page
        assert page == shown[len(found) - len(page) : len(found)]

    assert found == shown


def test_a_name_a_key_and_a_code_are_found_within_a_stretch_of_time(company):
    """What else is asked for may leave out all that a meaning has newest."""
    kept = {
        at: company.accept(created_at=at, id=id_of(at), key="order")
        for at in (NOON + n * HOUR for n in range(4))
    }
    ids = [each.id for each in kept.values()]

    for q in ("order alerts", "order"):
        assert listed(company, q=q, since=NOON, until=NOON + 2 * HOUR) == ids[1::-1]
        assert listed(company, q=q, until=NOON + HOUR, limit=1) == ids[:1]
        assert listed(company, q=q, since=NOON + 2 * HOUR, before=ids[3]) == [ids[2]]
        assert listed(company, q=q, since=NOON + 4 * HOUR) == []


def test_empty_text_finds_everything(company):
    everything = [company.accept().id, company.accept(key="k").id]

    assert listed(company, q="") == everything[::-1]
