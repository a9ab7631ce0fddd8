"""How many executions all workers together can take, and how many they have."""

from sqlalchemy import Connection, func, or_, select, text

from app.domain.execution import Status
from app.domain.process import Kind
from app.store.sql.spelling import Now
from app.store.sql.tables import executions, processes

SEATED = executions.c.seat.is_not(None)
TAKEN = select(func.count().label("n")).select_from(executions).where(SEATED)
ABLE = select(
    func.coalesce(func.sum(processes.c.workers), 0).label("workers"),
    func.coalesce(func.sum(processes.c.workers + processes.c.queue), 0).label(
        "capacity"
    ),
).where(
    processes.c.kind == Kind.WORKER,
    or_(processes.c.lease_until.is_(None), processes.c.lease_until > Now()),
)
QUEUED = TAKEN.where(executions.c.status == Status.QUEUED)
TURN = 7_205_000  # names the lock: any number that nobody else uses


def room(connection: Connection, least: int) -> int:
    """Count the free seats; until the end of the transaction nobody else does.

    Args:
        connection: in a transaction that then takes what it finds.
        least: seats that there are without a single worker.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))
    able = connection.execute(ABLE).one()
    taken: int = connection.execute(TAKEN).scalar_one()
    return max(int(able.capacity), least) - taken
