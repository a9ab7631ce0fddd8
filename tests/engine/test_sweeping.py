"""What expires goes away by itself."""

from datetime import timedelta

from app.domain.limit import Rate
from app.domain.session import IDLE
from app.engine.sweeping import Sweeper
from app.store.memory import MemoryStore
from app.telemetry.metrics import Metrics
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

    metrics = Metrics()

    Sweeper(store, metrics, clock=lambda: NOON + IDLE).sweep()

    user, tenant = company.owner.id, company.id
    assert store.sessions.list(user, at=NOON, limit=9, before=None) == [new]
    assert len(store.invitations.list(tenant, at=NOON, limit=9, before=None)) == 1
    assert store.tries.sweep(NOON + IDLE, limit=10) == 0
    told = metrics.render()[0].decode()
    for name, count in {
        "sessions": 1,
        "invitations": 1,
        "tries": 1,
        "dedupe": 0,
    }.items():
        assert f'sluice_swept_total{{sweep="{name}"}} {count}.0\n' in told
        assert f'sluice_sweep_seconds_count{{sweep="{name}"}} 1.0\n' in told
