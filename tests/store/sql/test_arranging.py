from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from app.store.sql.tasks import Once, Task, arrange


@dataclass(frozen=True)
class Kind:
    """A kind that only has a turn."""

    rank: int | None

    def apply(self, connection: Connection, members: Sequence[Any]) -> Sequence[Any]:
        return list(members)


ADD, START, FINISH = Kind(0), Kind(1), Kind(2)


def alone() -> Once:
    return Once(lambda _: None)


def arranged(*tasks):
    return [
        (kind, [each.subject for each in members]) for kind, members in arrange(tasks)
    ]


def test_tasks_of_a_kind_go_together_in_the_order_of_rank():
    groups = arranged(
        Task(FINISH, "a"), Task(ADD, "b"), Task(START, "c"), Task(ADD, "d")
    )

    assert groups == [(ADD, ["b", "d"]), (START, ["c"]), (FINISH, ["a"])]


def test_a_step_back_about_one_execution_begins_anew():
    groups = arranged(Task(START, "a"), Task(ADD, "b"), Task(ADD, "a"))

    assert groups == [(ADD, ["b"]), (START, ["a"]), (ADD, ["a"])]


def test_nothing_passes_what_goes_alone():
    once = alone()

    groups = arranged(Task(START, "a"), Task(once), Task(ADD, "b"), Task(START, "c"))

    assert groups == [(START, ["a"]), (once, [""]), (ADD, ["b"]), (START, ["c"])]


def test_nothing_to_do_is_no_group():
    assert arranged() == []


kinds = st.sampled_from([ADD, START, FINISH, None])
sequences = st.lists(st.tuples(kinds, st.sampled_from("abc")), max_size=30)


@given(sequences)
def test_every_task_is_done_once_and_each_executions_tasks_stay_in_order(sequence):
    tasks = [
        Task(alone()) if kind is None else Task(kind, subject)
        for kind, subject in sequence
    ]

    done = [each for _, members in arrange(tasks) for each in members]

    assert sorted(map(id, done)) == sorted(map(id, tasks))
    place = {id(task): number for number, task in enumerate(done)}
    for number, task in enumerate(tasks):
        for later in tasks[number + 1 :]:
            one_goes_alone = task.kind.rank is None or later.kind.rank is None
            if one_goes_alone or task.subject == later.subject:
                assert place[id(task)] < place[id(later)]
