"""What templates become."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Fault, StepFailed
from app.domain.expression import Scope
from app.domain.parsing import InvalidExpression
from app.domain.template import InvalidTemplate, Template, bare, child

BODY = {
    "id": 7,
    "name": "Ada",
    "price": 1.5,
    "paid": True,
    "nothing": None,
    "items": [{"sku": "ü"}],
    "evil": "{{ trigger.body.secret }} {{7*7}} ${7*7} {{{{",
    "secret": "hunter2",
}
SCOPE = Scope({"trigger": {"body": BODY}, "steps": {}, "vars": {}})
BROKEN = Scope({"trigger": {"body": None}}, "It is XML.")


def render(value, scope=SCOPE, **limits):
    return Template(value).render(scope, **limits)


def failure(value, scope=SCOPE, **limits):
    with pytest.raises(StepFailed) as caught:
        render(value, scope, **limits)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ trigger.body.id }}", 7),
        ("{{trigger.body.id}}", 7),
        ("  {{ trigger.body.paid }}\n", True),
        ("{{ trigger.body.nothing }}", None),
        ("{{ trigger.body.items }}", [{"sku": "ü"}]),
        ("{{ {a: {b: trigger.body.id}} }}", {"a": {"b": 7}}),
        ("{{{a: {b: trigger.body.id}}}}", {"a": {"b": 7}}),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{' }}", "{{"),
        (r"{{ '\'}}' }}", "'}}"),
        ('{{ `"}}"` }}', "}}"),
        ('{{ trigger.body."}}" }}', None),
    ],
)
def test_a_text_that_is_only_an_expression_keeps_its_type(text, value):
    assert render(text) == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hi {{ trigger.body.name }}!", "Hi Ada!"),
        ("{{ trigger.body.id }}{{ trigger.body.name }}", "7Ada"),
        ("{{ trigger.body.price }} {{ trigger.body.paid }}", "1.5 true"),
        ("x {{ trigger.body.items }}", 'x [{"sku":"ü"}]'),
        ("x {{ {a: `1`, b: 'c'} }}", 'x {"a":1,"b":"c"}'),
        ("x {{ trigger.body.nothing || 'none' }}", "x none"),
        ("{{{{ {{ trigger.body.id }} }}", "{{ 7 }}"),
        ("{{{{ trigger.body.id }}", "{{ trigger.body.id }}"),
        ("{{{{{{{{", "{{{{"),
        ("{{{{{{ trigger.body.id }}", "{{7"),
        ("a } b }} c { d", "a } b }} c { d"),
        ("", ""),
    ],
)
def test_in_a_text_values_are_written_out(text, written):
    assert render(text) == written


def test_null_in_a_text_fails_the_step_and_says_what_to_write():
    failed = failure("Hi {{ trigger.body.nothing }}!")

    assert failed.code == "expression"
    assert "|| 'default'" in str(failed)


def test_lists_and_objects_are_filled_in_and_keys_are_left_alone():
    value = {"{{ a }}": ["{{ trigger.body.id }}", {"b": "{{ trigger.body.name }}"}, 1]}

    assert render(value) == {"{{ a }}": [7, {"b": "Ada"}, 1]}


@pytest.mark.parametrize(
    "text", ["{{ trigger.body.evil }}", "x {{ trigger.body.evil }}"]
)
def test_what_a_payload_holds_is_never_evaluated(text):
    assert render(text).removeprefix("x ") == BODY["evil"]
    assert render(["{{ trigger.body }}"]) == [BODY]


plain = st.text(st.characters(codec="utf-8", exclude_characters="{"), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner),
    max_leaves=8,
)


@given(values)
@settings(deadline=None, max_examples=150)
def test_any_payload_arrives_unchanged(value):
    scope = Scope({"trigger": {"body": value}})

    assert render({"x": ["{{ trigger.body }}"]}, scope) == {"x": [value]}


@given(plain, st.text(max_size=20), plain)
@settings(deadline=None, max_examples=150)
def test_any_string_goes_raw_into_a_text(before, value, after):
    scope = Scope({"trigger": {"body": value}})

    written = render(f"a{before}{{{{ trigger.body }}}}{after}", scope)

    assert written == f"a{before}{value}{after}"


@given(
    st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(plain, inner))
)
@settings(deadline=None, max_examples=100)
def test_a_value_without_braces_is_returned_as_it_is(value):
    template = Template(value)

    assert template.is_constant
    assert template.render(SCOPE) is value


@given(st.text("a{}'\"`\\. ", max_size=20))
@settings(deadline=None, max_examples=300)
def test_any_text_compiles_or_is_refused(text):
    with contextlib.suppress(InvalidTemplate):
        assert Template(text).is_constant or "{{" in text


def test_all_faults_are_told_with_pointers():
    with pytest.raises(InvalidTemplate) as caught:
        Template({"a": "x {{ b", "c/d": ["{{ e ! }}", "{{ fine }}"], "~": "{{ }}"})

    assert [fault.pointer for fault in caught.value.faults] == ["/a", "/c~1d/0", "/~0"]


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("{{", 1),
        ("abc {{ d", 5),
        ("{{ a }} {{ '}}", 9),
        ("{{ {a: b }}", 1),
        ("{{ a } }", 1),
        ('{{ "a }}', 1),
    ],
)
def test_an_expression_that_is_never_closed_is_refused_with_its_place(text, character):
    with pytest.raises(
        InvalidTemplate, match=rf"character {character} is never closed"
    ):
        Template(text)


def test_the_expressions_of_a_template_are_known_with_pointers():
    template = Template({"a": ["{{ vars.x }}", "{{ vars.y }} {{ vars.z }}"]})

    found = [(pointer, each.source) for pointer, each in template.expressions]

    assert found == [("/a/0", "vars.x"), ("/a/1", "vars.y"), ("/a/1", "vars.z")]


def test_a_result_is_refused_beyond_the_limit():
    scope = Scope({"trigger": {"body": "x" * 100}})

    assert render({"a": "{{ trigger.body }}"}, scope, limit=120)
    assert failure({"a": "{{ trigger.body }}"}, scope, limit=100).code == "too-large"
    assert failure("ab {{ trigger.body }}", scope, limit=102).code == "too-large"
    assert failure(["-{{ trigger.body }}"] * 9, scope, limit=300).code == "too-large"
    assert failure("{{ trigger }} ", scope, limit=50).code == "too-large"


@pytest.mark.parametrize("frame", ["{{ %s }}", "x {{ %s }}"])
def test_a_value_whose_parts_are_shared_is_measured_not_printed(frame):
    bomb = "`1`" + " | [@, @]" * 30

    assert failure(frame % bomb).code == "too-large"


def test_a_value_that_is_nested_too_deeply_fails_the_step():
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    scope = Scope({"trigger": deep})

    assert render("{{ trigger }}", scope) == deep
    assert failure("{{ trigger" + " | [@]" * 50 + " }}", scope).code == "expression"


def test_all_expressions_of_a_template_share_one_budget():
    scope = Scope({"trigger": {"body": list(range(3000))}})
    costly = "{{ length(trigger.body[?@ > `1`]) }}"

    assert render([costly] * 5, Scope({"trigger": {"body": list(range(1000))}}))
    assert failure([costly], scope).code == "expression"
    assert "steps" in str(
        failure([costly] * 50, Scope({"trigger": {"body": list(range(2000))}}))
    )


def test_a_body_that_was_not_parsed_fails_what_reads_it():
    assert failure("{{ trigger.body.id }}", BROKEN).code == "body-parse"
    assert render("constant", BROKEN) == "constant"


@pytest.mark.parametrize("text", ["trigger.body.id", " {{ trigger.body.id }} "])
def test_a_condition_is_an_expression_bare_or_in_braces(text):
    assert bare(text).source == "trigger.body.id"


def test_a_condition_may_begin_with_a_brace_of_its_own():
    assert bare("{a: trigger.body.id}").evaluate(SCOPE) == {"a": 7}


@pytest.mark.parametrize("text", ["", "{{ a }} b", "{{ a }}{{ b }}", "{{{{ a", "{{ a"])
def test_anything_else_is_no_condition(text):
    with pytest.raises(InvalidExpression):
        bare(text)


@pytest.mark.parametrize(
    ("key", "pointer"),
    [("a", "/x/a"), (0, "/x/0"), ("a/b~c", "/x/a~1b~0c"), ("", "/x/")],
)
def test_a_json_pointer_is_extended_by_a_key(key, pointer):
    assert child("/x", key) == pointer


def test_the_message_of_an_invalid_template_holds_all_faults():
    assert str(InvalidTemplate([Fault("/a", "one"), Fault("/b", "two")])) == "one; two"
