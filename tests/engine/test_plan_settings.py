"""What the settings and expressions of a definition's steps may be."""

import pytest

from app.domain.errors import StepFailed
from tests.engine.definitions import (
    SCOPE,
    Send,
    compiled,
    definition,
    only_fault,
    send,
    step,
    told,
)

READING = [
    ("steps.a.output", "the step `a`, which has not run before this one"),
    ("steps.b.output", "the step `b`, which has not run before this one"),
    ("steps.c.output", "the step `c`, which does not exist"),
    ("steps.first.outputs", "a step has only `output`"),
    ("steps.frist.output", "did you mean `first`?"),
    ("first.output", "did you mean steps.first.output?"),
    ("trigger.boddy", "trigger has body, headers, method, path, query, received_at"),
    ("execution.name", "execution has attempt, id, tenant_id, workflow_id"),
    ("body.id", "the roots are trigger, steps, vars and execution"),
    ("item.id", "loops; they are not supported yet"),
    ("index", "loops; they are not supported yet"),
    ('"<script>"', "`<script>`, which does not exist"),
]


@pytest.mark.parametrize(("source", "says"), READING)
@pytest.mark.parametrize("frame", ["{{ %s }}", "x {{ vars.y || %s }}"])
def test_an_expression_that_reads_what_never_is_there_is_refused(source, says, frame):
    reading = step("a", **{"with": {"value": {"x/y": [frame % source]}}})

    pointer, message = only_fault(definition(step("first"), reading, step("b")))

    assert pointer == "/steps/1/with/value/x~1y/0"
    assert says in message


@pytest.mark.parametrize(
    "source",
    [
        "steps.first.output.any.name",
        "steps.first",
        "keys(steps)",
        "trigger.body.any",
        "trigger",
        "vars.any",
        "execution.id",
        "@",
        "trigger.body.items[?steps == other].item",
    ],
)
def test_an_expression_may_read_what_ran_before(source):
    assert compiled(step("first"), step("b", **{"if": source})).steps[1].condition


def test_on_failure_may_read_all_steps_and_its_own_earlier_ones():
    reading = {"with": {"value": "{{ [steps.a.output, steps.y.output] }}"}}

    plan = compiled(step("a"), on_failure=[step("y"), step("z", **reading)])
    assert not plan.on_failure[1].settings.is_constant

    pointer, _ = only_fault(
        definition(step("a"), on_failure=[step("z", **reading), step("y")])
    )
    assert pointer == "/on_failure/0/with/value"


def test_settings_are_checked_when_saved():
    given = definition(
        step("a", "send", **{"with": {"tags": [1, True], "method": "PATCH"}})
    )

    found = dict(told(given))

    assert found["/steps/0/with/url"] == "is required"
    assert found["/steps/0/with/tags/1"].startswith("must be ")
    assert found["/steps/0/with/method"] == "must be 'GET' or 'POST'"


@pytest.mark.parametrize(
    "settings",
    [
        {"times": "{{ trigger.body.id }}"},
        {"headers": "{{ trigger.body.headers }}"},
        {"tags": ["{{ trigger.body.id }}", "x"]},
        {"tags": ["{{ trigger.body.id }}", {"a": "{{ trigger.body.id }}"}]},
        {"method": "{{ trigger.body.method }}"},
    ],
)
def test_what_an_expression_will_give_is_checked_when_it_runs(settings):
    assert compiled(send(**settings)).steps[0].settings.expressions


def test_a_connectors_own_objection_is_always_told():
    given = definition(send(tags="{{ trigger.body.a }}", headers="{{ vars.b }}"))

    assert only_fault(given) == (
        "/steps/0/with",
        "give only one of tags and headers",
    )


def test_rendering_gives_a_connector_with_every_expression_filled_in():
    (planned,) = compiled(
        send(url="x/{{ trigger.body.id }}", times="{{ trigger.body.id }}")
    ).steps

    assert planned.render(SCOPE) == Send(url="x/7", times=7)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "{{ trigger.body.id }}"}, "url must be a string, not a number"),
        ({"url": "{{ vars.x }}"}, "url must be a string, not null"),
        ({"times": "{{ trigger.body.secret }}"}, "times must be a whole number, not a"),
        ({"times": "{{ `10` }}"}, "times must be less than or equal to 9"),
        ({"headers": "{{ trigger.body.hunter2 }}"}, "headers must be a string, not a"),
        ({"method": "{{ trigger.body.secret }}"}, "method must be 'GET' or 'POST'"),
    ],
)
def test_settings_that_do_not_fit_fail_the_step_without_telling_values(settings, says):
    (planned,) = compiled(send(**settings)).steps

    with pytest.raises(StepFailed) as caught:
        planned.render(SCOPE)

    assert caught.value.code == "invalid-settings"
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
