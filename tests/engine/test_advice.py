"""What the author of a definition is told, beside what is wrong."""

import pytest

from app.connectors.catalog import CATALOG
from app.connectors.registry import Registry
from app.domain.errors import Fault, Invalid
from app.engine.plan import Compiler
from tests.engine.definitions import definition, only_fault, send, step, told

OF_A_STEP = ("id", "uses", "with", "if", "retry", "timeout", "on_unknown")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ('trigger.body.a == "x"', "text is written in single quotes: 'x'"),
        ('trigger.body.a == "it\'s"', "text is written in single quotes"),
        ("true", "; write true in backticks: `true`"),
        ("None", "; write null in backticks: `null`"),
        ("x", "the roots are trigger, steps, vars and execution"),
    ],
)
def test_a_name_that_does_not_exist_comes_with_what_may_be_meant(condition, says):
    where, message = only_fault(definition(step(**{"if": condition})))

    assert where == "/steps/0/if"
    assert says in message


def test_an_unknown_field_comes_with_the_closest_one():
    given = definition(step(iff="x"), send("b", hedaers={}), stepz=[], triggers={})

    assert told(given) == [
        ("/steps/0/iff", "is not a known field; did you mean `if`?"),
        ("/stepz", "is not a known field; did you mean `steps`?"),
        ("/triggers", "is not a known field; did you mean `trigger`?"),
        ("/steps/1/with/hedaers", "is not a known field; did you mean `headers`?"),
    ]


def test_an_unknown_field_comes_with_the_known_ones_when_they_are_few():
    given = definition(step(retry={"delay": 5}), on_failure=[step("b", later=1)])

    assert told(given) == [
        (
            "/steps/0/retry/delay",
            "is not a known field; the fields are attempts, backoff, base, max",
        ),
        (
            "/on_failure/0/later",
            f"is not a known field; the fields are {', '.join(OF_A_STEP)}",
        ),
    ]


def test_of_very_many_unknown_fields_the_first_are_told_with_advice():
    given = definition(step(), **{f"stepz{n}": 1 for n in range(10_000)})

    found = told(given)

    assert len(found) == 100
    assert all("did you mean `steps`?" in message for _, message in found)


def faults_of(given) -> tuple[Fault, ...]:
    """Compile with the connectors of the service."""
    with pytest.raises(Invalid) as caught:
        Compiler(Registry(*CATALOG)).compile(given)
    return caught.value.faults


@pytest.mark.parametrize(
    ("uses", "meant"),
    [
        ("http", "http.request"),
        ("slack", "slack.message"),
        ("Slack", "slack.message"),
        ("htpp.request", "http.request"),
    ],
)
def test_a_kind_of_step_is_found_by_how_it_begins(uses, meant):
    (fault,) = faults_of(definition(step("a", uses)))

    assert fault.pointer == "/steps/0/uses"
    assert fault.message.endswith(f"; did you mean `{meant}`?")


def answering(trigger, section="steps"):
    steps = {"steps": [step("z", "log", **{"with": {"message": "x"}})]}
    return {"trigger": trigger, **steps, section: [step("say", "respond")]}


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "webhook"},
        {"type": "webhook", "respond": "immediately"},
        {"type": "manual"},
    ],
)
@pytest.mark.parametrize("section", ["steps", "on_failure"])
def test_a_step_that_answers_nobody_is_refused(trigger, section):
    (fault,) = faults_of(answering(trigger, section))

    assert fault.pointer == f"/{section}/0/uses"
    assert "set `respond: on_finish` in the trigger" in fault.message


def test_a_step_that_answers_a_sender_who_waits_is_taken():
    given = answering({"type": "webhook", "respond": "on_finish"})

    assert Compiler(Registry(*CATALOG)).compile(given).steps[0].uses == "respond"
