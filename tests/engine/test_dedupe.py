"""What `dedupe` of a trigger may say."""

import pytest

from app.connectors.flow import SetValue
from app.connectors.registry import Registry
from app.domain.errors import Fault, Invalid
from app.engine.plan import Compiler

COMPILER = Compiler(Registry(SetValue))
STEP = {"id": "a", "uses": "set", "with": {"value": 1}}


def compiled(expression, kind="webhook"):
    trigger = {"type": kind, "dedupe": expression}
    return COMPILER.compile({"trigger": trigger, "steps": [STEP]})


def only_fault(expression, kind="webhook") -> Fault:
    with pytest.raises(Invalid) as caught:
        compiled(expression, kind)
    [fault] = caught.value.faults
    return fault


@pytest.mark.parametrize(
    "expression",
    [
        "trigger.body.id",
        "{{ trigger.body.id }}",
        'trigger.headers."x-github-delivery"',
        "[trigger.query.a, trigger.path]",
        "trigger",
        "@",
        "`null`",
        None,
    ],
)
def test_a_key_is_any_expression_over_the_trigger(expression):
    assert compiled(expression).steps


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (5, "must be a string, not a number"),
        ({"header": "x"}, "must be a string, not an object"),
        ("", "it is empty"),
        ("trigger.", "ends too early"),
        ("x {{ trigger.body.id }}", "wrong at character"),
        ("{{ trigger.body.id }} x", "one expression"),
        ("{{ trigger.body.id }}{{ trigger.path }}", "one expression"),
        ("steps.a.output", "`steps`, which has no value here; only trigger has one"),
        ("vars.x || trigger.body", "only trigger has one"),
        ("execution.id", "only trigger has one"),
        ("trigger.id", "`trigger.id`, which does not exist"),
        ("body.id", "which does not exist; the roots are"),
        ("'always'", "every one would be a duplicate"),
        ("`false`", "every one would be a duplicate"),
        ("a" * 2049, "the most is 2048"),
    ],
)
def test_any_other_is_refused_where_it_stands(expression, message):
    fault = only_fault(expression)

    assert fault.pointer == "/trigger/dedupe"
    assert message in fault.message


def test_it_is_told_together_with_other_faults():
    trigger = {"type": "webhook", "dedupe": "vars.x", "accept": "xml"}
    definition = {"trigger": trigger, "steps": [{**STEP, "id": "A"}]}

    with pytest.raises(Invalid) as caught:
        COMPILER.compile(definition)

    assert {each.pointer for each in caught.value.faults} == {
        "/trigger/accept",
        "/trigger/dedupe",
        "/steps/0/id",
    }


def test_a_manual_workflow_has_no_key():
    fault = only_fault("trigger.body", "manual")

    assert (fault.pointer, "'manual'" in fault.message) == ("/trigger", True)
