"""What expires goes away by itself."""

from datetime import timedelta

from app.domain.limit import Rate
from app.domain.session import IDLE
from app.engine.sweeping import Sweeper
from app.store.memory import MemoryStore
from tests.store.company import HOUR, NOON, found, invitation, session

SECOND = timedelta(seconds=1)


def test_sessions_invitations_and_tries_that_have_expired_are_swept():
    store = MemoryStore()
    company = found(store)
    proof = company.owner.password_hash
    old = session(company.id, company.owner.id)
    new = session(company.id, company.owner.id, used_at=NOON + IDLE)
    for each in (old, new):
        store.sessions.add(each, password_hash=proof)
    for end in (NOON + HOUR, NOON + IDLE + HOUR):
        invited = invitation(company.id, company.owner.id, expires_at=end)
        store.invitations.add(invited)
    store.tries.take({b"a": Rate(burst=1, every=SECOND)}, at=NOON)

    Sweeper(store, clock=lambda: NOON + IDLE).sweep()

    user, tenant = company.owner.id, company.id
    assert store.sessions.list(user, at=NOON, limit=9, before=None) == [new]
    assert len(store.invitations.list(tenant, at=NOON, limit=9, before=None)) == 1
    assert store.tries.sweep(NOON + IDLE, limit=10) == 0
