"""What an execution that goes on reads of what it did before."""

from dataclasses import replace

import pytest

from app.connectors.flow import SetValue
from app.connectors.registry import Registry
from app.domain.execution import Segment, StepStatus
from app.engine.journal import Journal
from app.engine.plan import Compiler
from app.store.memory import MemoryStore
from tests.store.company import NOON, found, step

BIG = b'"%s"' % (b"x" * 1000)


def plan(*steps, on_failure=()):
    """Compile steps that are each an id and a value."""

    def written(name, value, condition=None):
        return {
            "id": name,
            "uses": "set",
            "with": {"value": value},
            **({"if": condition} if condition else {}),
        }

    definition = {
        "trigger": {"type": "manual"},
        "steps": [written(*each) for each in steps],
        "on_failure": [written(*each) for each in on_failure],
    }
    return Compiler(Registry(SetValue)).compile(definition)


def begun(**statuses):
    return {name: step(name, status=status) for name, status in statuses.items()}


def test_what_is_left_needs_the_outputs_that_it_looks_at_and_no_others():
    one = plan(("a", 1), ("b", 2), ("c", "{{ steps.a.output.n }}"))

    known = begun(a=StepStatus.SUCCESS, b=StepStatus.SUCCESS)

    assert one.needs(known) == {"a"}
    assert one.needs(known | begun(c=StepStatus.RUNNING)) == {"a"}
    assert one.needs(known | begun(c=StepStatus.SUCCESS)) == set()
    assert one.needs({}) == set()


def test_conditions_and_the_handling_of_failures_look_at_outputs_as_well():
    one = plan(
        ("a", 1),
        ("b", 2),
        ("c", 3),
        ("d", 4, "steps.b.output == `2`"),
        on_failure=[("e", "{{ steps.c.output }}")],
    )

    known = begun(a=StepStatus.SUCCESS, b=StepStatus.SKIPPED, c=StepStatus.FAILED)

    assert one.needs(known) == {"b", "c"}


@pytest.mark.parametrize(
    "value",
    [
        "{{ steps }}",
        "{{ @ }}",
        "{{ keys(steps) }}",
        "{{ steps.*.output }}",
        "{{ values(steps)[0] }}",
        "{{ {s: steps}.s.b.output }}",
        "{{ [steps][0].b.output }}",
        "{{ @.steps | values(@) }}",
        "{{ map(&steps.b.output, [@]) }}",
    ],
)
def test_who_looks_at_all_steps_needs_all_outputs(value):
    one = plan(("a", 1), ("b", 2), ("c", value))

    assert one.needs(begun(a=StepStatus.SUCCESS, b=StepStatus.SUCCESS)) == {"a", "b"}


@pytest.mark.parametrize(
    "value",
    [
        "{{ steps.b.output }}",
        "{{ steps.b }}",
        "{{ steps | b.output }}",
        "{{ @.steps.b.output.x }}",
        "{{ steps.b.output[0].x || 'none' }}",
        "{{ {n: steps.b.output, m: [trigger.body]} }}",
        "so many: {{ length(steps.b.output) }}",
        "{{ steps.b.output[?x > `1`].y }}",
        '{{ steps."b".output }}',
    ],
)
def test_who_looks_at_one_step_needs_its_output_alone(value):
    one = plan(("a", 1), ("b", 2), ("c", value))

    assert one.needs(begun(a=StepStatus.SUCCESS, b=StepStatus.SUCCESS)) == {"b"}


def test_a_journal_holds_every_step_and_of_the_outputs_those_that_are_needed():
    company = found(MemoryStore())
    held = company.run()
    done = [step("a", 0, output=b'{"n":1}'), step("b", 1, output=BIG)]
    assert company.executions.record(held, done).result(timeout=5)
    journal = Journal(company.executions, replace(held, segments=(Segment(NOON),)))

    journal.load(plan(("a", 1), ("b", 2), ("c", "{{ steps.a.output.n }}")).needs)

    assert list(journal) == [done[0], replace(done[1], output=None)]
    assert journal.position("c") == 2
    assert journal.unwritten() == ()
