"""The queries behind the steps of an execution, with their outputs and without."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, select

from app.store.sql.tables import steps

OUTLINE = (
    *(each for each in steps.columns if each is not steps.c.output),
    func.length(steps.c.output).label("size"),
)


def whole(tenant_id: str, execution_id: str) -> Select[Any]:
    """Find every step in order, outputs included."""
    return _in_order(select(steps), tenant_id, execution_id)


def outline(
    tenant_id: str, execution_id: str, *, after: int, limit: int | None
) -> Select[Any]:
    """Find steps in order; of an output only its size, which costs no reading."""
    query = _in_order(select(*OUTLINE), tenant_id, execution_id)
    return query.limit(limit).offset(after)


def outputs(
    tenant_id: str, execution_id: str, paths: Collection[str], *, most: int | None
) -> Select[Any]:
    """Find the outputs of some steps, those of up to `most` bytes."""
    query = _of(select(steps.c.path, steps.c.output), tenant_id, execution_id)
    query = query.where(steps.c.path.in_(paths), steps.c.output.is_not(None))
    return query if most is None else query.where(func.length(steps.c.output) <= most)


def _in_order(query: Select[Any], tenant_id: str, execution_id: str) -> Select[Any]:
    return _of(query, tenant_id, execution_id).order_by(steps.c.position, steps.c.path)


def _of(query: Select[Any], tenant_id: str, execution_id: str) -> Select[Any]:
    return query.where(
        steps.c.tenant_id == tenant_id, steps.c.execution_id == execution_id
    )
