"""The hot path's statements: how a held execution moves on.

The kinds' ranks are the order in which one execution comes by them.
"""

from typing import Any

from sqlalchemy import bindparam, case, exists, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.execution import Execution, Status
from app.store.sql.kinds import Add, Change, Record
from app.store.sql.prepared import Prepared
from app.store.sql.rows import Values
from app.store.sql.tables import executions, steps
from app.store.sql.upserts import insert_or_replace

DISOWNED = {"owner": None, "fence": executions.c.fence + 1, "seat": None}


def held_by(execution: Execution) -> Values:
    """Return the parameters that find an execution while it is still held."""
    return {
        "held_tenant": execution.tenant_id,
        "held_id": execution.id,
        "held_fence": execution.fence,
    }


def is_in(status: Status) -> Any:
    """Compare with a literal: a bound status never uses an index of one state."""
    return executions.c.status == literal_column(f"'{status}'")


def _held(status: Status) -> tuple[Any, ...]:
    return (
        executions.c.tenant_id == bindparam("held_tenant"),
        executions.c.id == bindparam("held_id"),
        executions.c.fence == bindparam("held_fence"),
        is_in(status),
    )


HELD_RUNNING = _held(Status.RUNNING)
RUNNING = update(executions).where(*HELD_RUNNING)
ASKED_TO_STOP = executions.c.cancel_requested == 1

WRITE_STEP = Prepared(insert_or_replace(steps), [each.name for each in steps.columns])
RECORD_STEP = Prepared(
    insert_or_replace(
        steps,
        insert(steps).from_select(
            [each.name for each in steps.columns],
            select(
                *(bindparam(each.name, type_=each.type) for each in steps.columns)
            ).where(exists().where(*HELD_RUNNING)),
        ),
    )
)

ADD = Add()
START = Change(
    1,
    Prepared(
        update(executions)
        .where(*_held(Status.QUEUED))
        .values(
            status=Status.RUNNING,
            started_at=func.coalesce(
                executions.c.started_at, bindparam("new_started_at")
            ),
            segments=bindparam("new_segments"),
        )
    ),
    WRITE_STEP,
)
RECORD = Record(2, RECORD_STEP, select(executions.c.id).where(*HELD_RUNNING))
PARK = Change(
    3,
    Prepared(
        RUNNING.values(
            **DISOWNED,
            # what was asked to stop does not wait: its next owner stops it at once
            status=case((ASKED_TO_STOP, Status.QUEUED), else_=Status.WAITING),
            waiting_for=case((ASKED_TO_STOP, None), else_=bindparam("new_reason")),
            wake_at=case((ASKED_TO_STOP, None), else_=bindparam("new_wake_at")),
            segments=bindparam("new_segments"),
        )
    ),
    WRITE_STEP,
)
HAND_BACK = Change(
    4,
    Prepared(
        RUNNING.values(
            **DISOWNED,
            status=Status.QUEUED,
            attempt=executions.c.attempt + 1,
            segments=bindparam("new_segments"),
        )
    ),
    WRITE_STEP,
)
FINISH = Change(
    5,
    Prepared(
        RUNNING.values(
            status=bindparam("new_status"),
            finished_at=bindparam("new_finished_at"),
            error_code=bindparam("new_error_code"),
            error_message=bindparam("new_error_message"),
            error_step=bindparam("new_error_step"),
            seat=None,
            segments=bindparam("new_segments"),
        )
    ),
    WRITE_STEP,
)
