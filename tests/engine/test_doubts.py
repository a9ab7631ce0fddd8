import pytest

from app.domain.errors import OutcomeUnknown, StoreUnavailable
from app.engine.backlog import Backlog
from app.engine.doubts import LATE, Doubts
from app.store.memory import MemoryStore
from tests.store.company import HERE, found


@pytest.fixture
def company():
    return found(MemoryStore())


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def backlog():
    return Backlog()


@pytest.fixture
def doubts(company, backlog, clock):
    return Doubts(company.executions, backlog, HERE, clock=lambda: clock[0])


def test_without_a_doubt_nothing_is_given_away(company, doubts):
    company.accept()
    doubts.raised_by(StoreUnavailable("refused, and so not kept"))

    assert doubts.settle() == 0


def test_what_is_queued_here_and_unknown_becomes_owed_work(company, doubts, backlog):
    unheard_of, waiting, running = company.accept(), company.accept(), company.run()
    backlog.push(waiting)

    doubts.raised_by(OutcomeUnknown("cut off"))

    assert doubts.settle() == 1
    assert company.now(unheard_of).owner is None
    assert company.now(waiting) == waiting
    assert company.now(running) == running


def test_a_commit_may_take_place_late_but_not_for_ever(company, doubts, clock):
    doubts.raised_by(OutcomeUnknown("cut off"))
    assert doubts.settle() == 0

    company.accept()
    clock[0] = LATE - 1
    assert doubts.settle() == 1

    company.accept()
    clock[0] = LATE
    assert doubts.settle() == 0
