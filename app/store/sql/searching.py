"""Executions that a text means, at a cost that history does not raise."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    ScalarSelect,
    Select,
    TextClause,
    desc,
    exists,
    func,
    select,
    union_all,
)

from app.store.sql.spelling import Instr
from app.store.sql.stretches import Stretch
from app.store.sql.tables import executions, workflows

Condition = ColumnElement[bool] | TextClause

listed = executions.alias("listed")


class Search:
    """Looks for each meaning of a text by its own index; the newest of each will do.

    Args:
        tenant_id: whose executions.
        q: the text.
        conditions: on the executions, what else is asked for.
        stretch: which ids.
        limit: how many at most.
    """

    def __init__(
        self,
        tenant_id: str,
        q: str,
        conditions: Sequence[Condition],
        stretch: Stretch,
        limit: int,
    ) -> None:
        self._q, self._limit = q, limit
        self._conditions, self._stretch = conditions, stretch
        self._named = select(workflows.c.id).where(
            workflows.c.tenant_id == tenant_id,
            Instr(workflows.c.name_folded, q.casefold()) > 0,
        )
        self._of_tenant = [listed.c.tenant_id == tenant_id]
        if len(conditions) > 1:
            # apart, or the planner goes by what else is asked for
            row = exists().where(
                executions.c.tenant_id == listed.c.tenant_id,
                executions.c.id == listed.c.id,
                *conditions,
            )
            self._of_tenant.append(row)

    def among_all(self) -> CompoundSelect[Any]:
        """Read by the index of each meaning."""
        return _together(self._beginning(), *self._keyed(), self._of_newest_workflows())

    def among_seldom(self) -> CompoundSelect[Any]:
        """Read by the index of what else is asked for where names would read more."""
        return _together(self._beginning(), *self._keyed(), self._of_named())

    def among_few(self) -> CompoundSelect[Any]:
        """Read by the index of what else is asked for."""
        # not by the indexes of these, of which a planner may read all
        keyed = [
            func.coalesce(each, "") == self._q
            for each in (executions.c.key, executions.c.error_code)
        ]
        return _together(self._beginning(), *map(self._read, keyed), self._of_named())

    def _beginning(self) -> Select[Any]:
        within = self._stretch.of_prefix(self._q).conditions()
        return newest(executions, [*self._conditions, *within], self._limit)

    def _keyed(self) -> Sequence[Select[Any]]:
        walked = [*self._of_tenant, *self._stretch.conditions(listed)]
        return [
            newest(listed, [*walked, meaning], self._limit)
            for meaning in (listed.c.key == self._q, listed.c.error_code == self._q)
        ]

    def _of_named(self) -> Select[Any]:
        return self._read(executions.c.workflow_id.concat("").in_(self._named))

    def _read(self, meaning: ColumnElement[bool]) -> Select[Any]:
        within = self._stretch.from_any().conditions()
        return newest(executions, [*self._conditions, *within, meaning], self._limit)

    def _of_newest_workflows(self) -> Select[Any]:
        """Read one entry of each workflow, and some more of few.

        The newest are among those workflows whose own newest are the newest; of each,
        no more than are wanted.
        """
        first = self._stretch.first
        own_newest = func.coalesce(self._nth(1, workflows, first), first)
        latest = (
            self._named.add_columns(own_newest.label("newest"))
            .order_by(desc("newest"))
            .limit(self._limit)
            .cte("latest")
        )
        last = (
            select(latest.c.newest)
            .order_by(latest.c.newest.desc())
            .limit(1)
            .offset(self._limit - 1)
            .scalar_subquery()
        )
        since = func.coalesce(last, first)  # as many as are wanted are not older
        own_since = func.coalesce(self._nth(self._limit, latest, since), since)
        return (
            select(listed.c.id)
            .select_from(latest)
            .join(listed, listed.c.workflow_id == latest.c.id)
            .where(*self._since(own_since))
            # not in the key's order: the planner would walk it, whatever the names
            .order_by(listed.c.id.concat("").desc())
            .limit(self._limit)
        )

    def _nth(self, number: int, of: FromClause, first: Any) -> ScalarSelect[Any]:
        """Find a workflow's newest execution, its second newest and so on."""
        is_of_it = listed.c.workflow_id == of.c.id
        found = newest(listed, [*self._since(first), is_of_it], 1)
        return found.offset(number - 1).correlate(of).scalar_subquery()

    def _since(self, first: Any) -> Sequence[ColumnElement[bool]]:
        """Limit it to ids from one on; of several such bounds a planner takes any."""
        return [
            *self._of_tenant,
            *self._stretch.from_any().conditions(listed),
            listed.c.id >= first,
        ]


def newest(of: FromClause, conditions: Sequence[Condition], limit: int) -> Select[Any]:
    """Find the newest ids."""
    return select(of.c.id).where(*conditions).order_by(of.c.id.desc()).limit(limit)


def _together(*found: Select[Any]) -> CompoundSelect[Any]:
    return union_all(*(select(each.subquery().c.id) for each in found))
