"""What a definition may say, and what it becomes."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import jsons
from app.domain.errors import Fault, Invalid
from app.engine import faults
from app.engine.plan import Retry
from tests.engine.definitions import (
    COMPILER,
    Send,
    compiled,
    definition,
    only_fault,
    send,
    step,
    told,
)


def test_a_small_definition_gets_the_defaults():
    plan = compiled(step())

    assert plan.variables == {}
    assert plan.on_failure == ()
    assert plan.timeout == 120.0
    assert plan.steps[0].path == "a"
    assert plan.steps[0].retry == Retry(attempts=1, base=0.5, max=30.0)
    assert plan.steps[0].timeout == 30.0
    assert plan.steps[0].condition is None
    assert not plan.steps[0].has_effect


def test_what_a_definition_says_is_in_the_plan():
    plan = COMPILER.compile(
        {
            "name": "Order alerts",
            "vars": {"channel": "#orders", "raw": "{{ not evaluated }}"},
            "trigger": {
                "type": "webhook",
                "methods": ["GET", "PUT"],
                "accept": "json",
                "respond": "on_finish",
                "on_disconnect": "continue",
                "overload": "reject",
            },
            "steps": [
                {
                    "id": "enrich",
                    "uses": "send",
                    "with": {"url": "https://a/{{ trigger.body.id }}"},
                    "retry": {
                        "attempts": 4,
                        "backoff": "exponential",
                        "base": 1,
                        "max": 9.5,
                    },
                    "timeout": 10,
                    "on_unknown": "repeat",
                },
                step("notify", **{"if": "steps.enrich.output.tier == 'gold'"}),
            ],
            "on_failure": [
                step("page", **{"with": {"value": "{{ steps.notify.output }}"}}),
                step("log", **{"with": {"value": "{{ steps.page.output }}"}}),
            ],
            "limits": {"timeout": 60},
        }
    )

    enrich, notify = plan.steps
    assert plan.variables == {"channel": "#orders", "raw": "{{ not evaluated }}"}
    assert plan.timeout == 60
    assert (enrich.uses, enrich.connector, enrich.has_effect) == ("send", Send, True)
    assert enrich.retry == Retry(attempts=4, base=1.0, max=9.5)
    assert enrich.timeout == 10
    assert str(notify.condition) == "`steps.enrich.output.tier == 'gold'`"
    assert [each.id for each in plan.on_failure] == ["page", "log"]


def test_a_manual_workflow_has_no_options():
    COMPILER.compile({"trigger": {"type": "manual"}, "steps": [step()]})

    given = {"trigger": {"type": "manual", "accept": "any"}, "steps": [step()]}
    pointer, message = only_fault(given)
    assert (pointer, "'manual'" in message) == ("/trigger", True)


LATER = [
    ("/trigger/type", "schedule"),
    ("/trigger/overload", "spill"),
    ("/steps/0/on_unknown", "stop"),
    ("/steps/0/on_unknown", "ask"),
    ("/steps/0/on_unknown", "check"),
    ("/steps/0/uses", "workflow.run"),
    ("/limits/concurrency", 5),
    ("/limits/key", "trigger.body.id"),
]
WRONG = [
    ("/name", 5, "must be a string, not a number"),
    ("/name", "", "at least 1"),
    ("/colour", 1, "not a known field"),
    ("/vars", [], "must be an object, not a list"),
    ("/steps", {}, "must be a list, not an object"),
    ("/steps", [], "at least 1"),
    ("/steps", [step("a"), step("b"), step("c"), step("d")], "the most is 3"),
    ("/steps/0", "x", "must be an object, not a string"),
    ("/steps/0/when", "x", "not a known field"),
    ("/steps/0/id", "A", "must be a small letter and then"),
    ("/steps/0/id", "a\n", "must be a small letter and then"),
    ("/steps/0/id", "a" * 64, "must be a small letter and then"),
    ("/steps/0/id", ["a"], "must be a string, not a list"),
    ("/steps/0/uses", "sned", "keep, send; did you mean `send`?"),
    ("/steps/0/uses", None, "must be a string, not null"),
    ("/steps/0/with", "{{ trigger.body }}", "must be an object, not a string"),
    ("/steps/0/if", True, "must be a string, not a boolean"),
    ("/steps/0/if", "a = b", "compare with =="),
    ("/steps/0/if", "{{ vars.x }} yes", "one expression"),
    ("/steps/0/if", "nope", "the roots are trigger, steps, vars and execution"),
    ("/steps/0/timeout", 0, "greater than 0"),
    ("/steps/0/timeout", 121, "limit of 120 seconds"),
    ("/steps/0/timeout", "10", "must be a number, not a string"),
    ("/steps/0/timeout", True, "must be a number, not a boolean"),
    ("/steps/0/retry", 3, "must be an object, not a number"),
    ("/steps/0/retry/attempts", 0, "greater than or equal to 1"),
    ("/steps/0/retry/attempts", 21, "less than or equal to 20"),
    ("/steps/0/retry/attempts", 1.5, "must be a whole number"),
    ("/steps/0/retry/backoff", "fixed", "must be 'exponential'"),
    ("/steps/0/retry/base", -1, "greater than 0"),
    ("/steps/0/retry/jitter", True, "not a known field"),
    ("/steps/0/on_unknown", "panic", "must be 'repeat' or 'stop' or"),
    ("/on_failure", None, "must be a list, not null"),
    ("/limits/timeout", 121, "limit of 120 seconds"),
    ("/limits/memory", 1, "not a known field"),
    ("/trigger/type", "cron", "must be 'webhook' or 'manual' or 'schedule'"),
    ("/trigger/methods", [], "at least 1"),
    ("/trigger/methods/0", "FETCH", "must be 'GET'"),
    ("/trigger/accept", "xml", "must be 'any' or 'json'"),
]


def with_value(pointer: str, value: Any) -> dict[str, Any]:
    """Set one thing in a definition that is fine otherwise."""
    fine = step(**{"with": {}, "retry": {}})
    given: dict[str, Any] = definition(fine, limits={}, on_failure=[step("z")])
    given["trigger"]["methods"] = ["POST"]
    *parents, last = pointer.split("/")[1:]
    at: Any = given
    for name in parents:
        at = at[int(name) if isinstance(at, list) else name]
    at[int(last) if isinstance(at, list) else last] = value
    return given


@pytest.mark.parametrize(("pointer", "value"), LATER)
def test_what_is_not_built_yet_is_refused_and_never_ignored(pointer, value):
    where, message = only_fault(with_value(pointer, value))

    assert where == pointer
    assert message.endswith("is not supported yet")


@pytest.mark.parametrize(("pointer", "value", "says"), WRONG)
def test_what_does_not_fit_is_refused_where_it_stands(pointer, value, says):
    where, message = only_fault(with_value(pointer, value))

    assert where == pointer
    assert says in message


@pytest.mark.parametrize("missing", ["trigger", "steps"])
def test_a_definition_needs_a_trigger_and_steps(missing):
    given = definition(step())
    del given[missing]

    assert only_fault(given) == (f"/{missing}", "is required")


@pytest.mark.parametrize("missing", ["id", "uses"])
def test_a_step_needs_an_id_and_a_kind(missing):
    given = definition(step())
    del given["steps"][0][missing]

    assert only_fault(given) == (f"/steps/0/{missing}", "is required")


def test_ids_are_unique_over_steps_and_on_failure():
    given = definition(step("a"), step("b"), on_failure=[step("b")])

    pointer, message = only_fault(given)

    assert pointer == "/on_failure/0/id"
    assert "/steps/1" in message


def test_all_faults_are_told_at_once():
    found = told(
        {
            "trigger": {"type": "schedule"},
            "steps": [
                step("A"),
                send("b", times="x", colour="red", tags=["{{ nope }}"]),
                "not a step",
                step("c", "fetch", **{"if": "steps.later.output"}),
            ],
        }
    )

    assert {pointer for pointer, _ in found} == {
        "/trigger/type",
        "/steps",
        "/steps/1/with/times",
        "/steps/1/with/colour",
        "/steps/1/with/tags/0",
        "/steps/3/uses",
        "/steps/3/if",
    }


def test_the_message_counts_the_faults():
    with pytest.raises(Invalid, match=r"^The definition has 1 fault\.$"):
        COMPILER.compile(definition(step("A")))
    with pytest.raises(Invalid, match=r"^The definition has 2 faults\.$"):
        COMPILER.compile(definition(step("A"), step("B")))


def test_of_very_many_faults_the_first_are_told():
    many = {"value": ["{{ nope }}"] * 5000}

    with pytest.raises(Invalid, match="more than 100 faults") as caught:
        COMPILER.compile(definition(step(**{"with": many}), step("b", "x")))

    assert len(caught.value.faults) == faults.MOST


@pytest.mark.parametrize("given", [[], "x", None, 5])
def test_a_definition_is_an_object(given):
    assert only_fault(given) == ("", "must be an object")


@pytest.mark.parametrize(
    ("value", "pointer", "says"),
    [
        ({"a": ["x\0"]}, "/steps/0/with/value/a/0", "U+0000"),
        ({"x\0": 1}, "/steps/0/with/value", "U+0000"),
        ("\ud800", "/steps/0/with/value", "surrogate"),
        ({"\udfff": "\ud800"}, "/steps/0/with/value", "surrogate"),
        (float("nan"), "", "is not JSON"),
        ("x" * 300_000, "", "262144 bytes"),
    ],
)
def test_text_that_nothing_could_store_is_refused(value, pointer, says):
    where, message = only_fault(definition(step(**{"with": {"value": value}})))

    assert where == pointer
    assert says in message


@pytest.mark.parametrize("levels", [60, 61, 5000])
def test_a_definition_is_nested_64_levels_at_most(levels):
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    given = definition(step(**{"with": {"value": value}}))

    if levels == 60:
        assert COMPILER.compile(given).steps
    else:
        assert "64 levels" in only_fault(given)[1]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from(
        ["a", "webhook", "keep", "send", "{{ steps.a.output }}", "{{", ""]
    )
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "uses", "with", "if", "type", "retry", "url"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
GOOD = definition(send("a"), step("b"), vars={}, limits={}, on_failure=[step("c")])


@given(
    st.sampled_from(["", "trigger", "steps", "on_failure", "limits", "vars", "name"]),
    json_values,
)
@settings(deadline=None, max_examples=250)
def test_any_definition_is_compiled_or_refused_with_pointers_into_it(part, value):
    given = deepcopy(GOOD) | {part: value} if part else value

    for fault in faults_of(given):
        assert jsons.encode(fault.message)
        assert leads_somewhere(fault.pointer, given)


def faults_of(given: Any) -> tuple[Fault, ...]:
    try:
        COMPILER.compile(given)
    except Invalid as refused:
        return refused.faults
    return ()


def leads_somewhere(pointer: str, value: Any) -> bool:
    """Follow a pointer; its last name may be missing, and all settings may be."""
    plain = pointer.replace("~1", "\0").replace("~0", "~")
    *parents, last = [each.replace("\0", "/") for each in plain.split("/")]
    for name in parents[1:]:
        if name == "with" and name not in value:
            return True
        value = value[int(name)] if isinstance(value, list) else value[name]
    return not pointer or isinstance(value, dict) or int(last) < len(value)
