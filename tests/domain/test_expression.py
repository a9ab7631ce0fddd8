"""What expressions give, and what they may cost."""

import contextlib
import warnings

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import StepFailed
from app.domain.expression import Expression, Scope
from app.domain.interpreter import SIZE, STEPS, Budget
from app.domain.parsing import MAX_SOURCE, InvalidExpression

BODY = {
    "id": 7,
    "tier": "gold",
    "zero": 0,
    "tags": ["b", "a"],
    "items": [{"sku": "x", "n": 2}, {"sku": "y", "n": 1}, {"n": 3}],
    "nothing": None,
}
SCOPE = Scope(
    {
        "trigger": {"body": BODY, "headers": {"content-type": "text/plain"}},
        "steps": {"a": {"output": {"ok": True}}},
        "vars": {"channel": "#orders"},
        "execution": {"id": "exec_1", "attempt": 1},
    }
)
UNPARSED = Scope({"trigger": {"body": None, "path": "/x"}, "vars": {}}, "It is XML.")
names = st.sampled_from(["a", "b", "c"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner),
    max_leaves=12,
)


def evaluate(source, scope=SCOPE):
    return Expression(source).evaluate(scope)


def failure(source, scope=SCOPE):
    with pytest.raises(StepFailed) as caught:
        evaluate(source, scope)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("trigger.body.id", 7),
        ("trigger.body.missing.further", None),
        ("trigger.body.id.further", None),
        ('trigger.headers."content-type"', "text/plain"),
        ("steps.a.output.ok", True),
        ("trigger.body.items[*].n", [2, 1, 3]),
        ("trigger.body.items[?n > `1`].sku", ["x"]),
        ("trigger.body.items[0].sku", "x"),
        ("trigger.body.tags[::-1]", ["a", "b"]),
        ("{id: trigger.body.id, ok: steps.a.output.ok}", {"id": 7, "ok": True}),
        ("trigger.body.nothing || 'default'", "default"),
        ("join('-', sort(trigger.body.tags))", "a-b"),
        ("sort_by(trigger.body.items, &n)[0].sku", "y"),
        ("length(trigger.body.items)", 3),
        ("to_string(trigger.body.items[0])", '{"sku":"x","n":2}'),
        ("to_string('ü')", "ü"),
        ("trigger.body.tier == 'gold' && trigger.body.id > `5`", True),
        ("'a' < `1`", None),
        ("'a' < 'b'", True),
        ("@ < @", None),
        ("contains('abc', `1`)", False),
        ("contains(trigger.body.items, trigger.body.items[0])", True),
        ("trigger.body.items == `[]`", False),
    ],
)
def test_an_expression_gives_its_value(source, value):
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("-1.5e3", -1500.0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1_000", None),
        ("٣", None),
        ('"1"', None),
        ("true", None),
        ("", None),
    ],
)
def test_to_number_reads_what_json_calls_a_number(text, number):
    assert evaluate(f"to_number('{text}')") == number


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("trigger.body.zero", True),
        ("`0.0`", True),
        ("`false`", False),
        ("`true`", True),
        ("trigger.body.nothing", False),
        ("''", False),
        ("`[]`", False),
        ("`{}`", False),
        ("`[0]`", True),
        ("'false'", True),
        ("!(trigger.body.zero)", False),
        ("!(trigger.body.nothing)", True),
    ],
)
def test_a_condition_follows_the_truth_of_jmespath(source, holds):
    assert Expression(source).holds(SCOPE) is holds


@given(
    st.dictionaries(names, json_values),
    st.sampled_from(
        [
            "a[*].b",
            "a[].b[]",
            "*.a",
            "a[?b]",
            "a[?b == c].{x: a, y: b}",
            "[a, b.c, a == b, a != `1`]",
            "a && b || c",
            "!a",
            "a | @.b",
            "a[1:3]",
            "not_null(a, b, c)",
            "to_array(a)[0]",
            "type(a)",
            "merge(`{}`, {a: a})",
            "map(&@, to_array(a))",
        ]
    ),
)
@settings(deadline=None, max_examples=200)
def test_the_budget_does_not_change_what_jmespath_gives(root, source):
    assert Expression(source).evaluate(Scope(root)) == jmespath.search(source, root)


def doubling(start, step, times=30, end=""):
    return start + f" | {step}" * times + end


BOMBS = {
    "join": doubling("'aaaaaaaaaaaaaaaa'", "join('', [@, @])", 34),
    "flatten": doubling("`[1]`", "[@, @][]"),
    "printing shared parts": doubling("`1`", "[@, @]", end=" | to_string(@)"),
    "comparing shared parts": "[{0}, {0}] | [0] == [1]".format(
        doubling("`1`", "[@,@]")
    ),
    "searching shared parts": doubling("`1`", "[@, @]", end=" | contains([@, @], @)"),
    "projection": "trigger.body.many[*].[@, @, @]",
    "nested projections": "trigger.body.many[*].[@, @, @][].[@, @, @][].[@, @, @]",
    "filter": "trigger.body.many[?@ > `1`]",
    "map": "map(&[@, @], trigger.body.many)",
    "sort_by": "sort_by(trigger.body.many, &@)",
    "many sorts": "[" + ", ".join(["sort(trigger.body.many)"] * 70) + "]",
    "many reads of a long text": "["
    + ", ".join(["contains(trigger.body.long, 'b')"] * 50)
    + "]",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_stopped_within_its_budget(bomb):
    body = {"many": list(range(20_000)), "long": "a" * 50_000}
    scope = Scope({"trigger": {"body": body}})
    budget = Budget()

    with pytest.raises(StepFailed) as caught:
        Expression(BOMBS[bomb]).evaluate(scope, budget)

    assert caught.value.code == "expression"
    assert budget.steps >= -1
    assert budget.size >= -(2 * SIZE)


@pytest.mark.parametrize("bomb", ["join", "printing shared parts", "many sorts"])
def test_what_grows_without_visits_is_stopped_within_few_steps(bomb):
    budget = Budget()

    with pytest.raises(StepFailed):
        Expression(BOMBS[bomb]).evaluate(
            Scope({"trigger": {"body": {"many": list(range(20_000))}}}), budget
        )

    assert STEPS - budget.steps < 600


def test_expressions_that_share_a_budget_use_it_up_together():
    budget = Budget(steps=50)
    Expression("trigger.body.items[*].n").evaluate(SCOPE, budget)

    left = budget.steps
    with pytest.raises(StepFailed, match="steps"):
        Expression(f"[{', '.join(['trigger.body'] * left)}]").evaluate(SCOPE, budget)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("join(',', trigger.body.tier)", "join() a value of type string"),
        ("sort(trigger.body.items)", "sort() a value of type object"),
        ("length(trigger.body.nothing)", "length() a value of type null"),
        ("sum([`1e308`, `1e308`])", "beyond the range"),
        ("ceil(sum([`1e308`, `1e308`]))", "beyond the range"),
        ("max_by(trigger.body.items, &sku || n)", "together"),
    ],
)
def test_a_failure_says_what_happened_and_quotes_no_value(source, says):
    failed = failure(source)

    assert failed.code == "expression"
    assert says in str(failed)
    assert "gold" not in str(failed)
    assert failed.__cause__ is None


def test_a_long_expression_is_shortened_in_messages():
    failed = failure(f"length(trigger.body.{'x' * 500})")

    assert len(str(failed)) < 250


@pytest.mark.parametrize(
    "source",
    [
        "trigger.body",
        "trigger.body.id",
        "trigger | body",
        "vars.x || trigger.body.id",
        "[trigger.body]",
    ],
)
def test_reading_a_body_that_was_not_parsed_fails(source):
    failed = failure(source, UNPARSED)

    assert failed.code == "body-parse"
    assert str(failed).endswith("could not be parsed: It is XML.")


@pytest.mark.parametrize("source", ["trigger.path || trigger.body.id", "vars.body"])
def test_a_body_that_was_not_parsed_harms_nobody_who_does_not_read_it(source):
    assert evaluate(source, UNPARSED) in {"/x", None}


def test_a_scope_is_extended_by_copying():
    extended = SCOPE.with_output("b", 2)

    assert evaluate("[steps.a.output.ok, steps.b.output]", extended) == [True, 2]
    assert evaluate("steps.b") is None


@pytest.mark.parametrize(
    ("source", "position", "says"),
    [
        ("", 0, "it is empty"),
        ("   ", 3, "ends too early"),
        ("trigger.", 8, "ends too early"),
        ("a = b", 2, "compare with =="),
        ("a + b", 2, "no arithmetic"),
        ("a b", 2, "unexpected 'b'"),
        ("headers.content-type", 15, "quote a name"),
        ("$.a", 0, "names start at the root"),
        ("a == 'x", 5, "unclosed"),
        ("a == `gold`", 5, "single quotes"),
        ("`NaN`", 0, "NaN"),
        ("`1e400`", 0, "infinite"),
        ('a."\\ud800"', 2, "surrogate"),
        ("`" + "[" * 101 + "]" * 101 + "`", 0, "100 deep"),
        ('"a"(b)', 0, "not a function"),
        ("legnth(a)", 0, "did you mean length()?"),
        ("frobnicate(a)", 0, "frobnicate(), which does not exist"),
        ("join(a)", 0, "takes 2"),
        ("not_null()", 0, "at least 1"),
        ("a[::0]", 0, "step 0"),
        ("!a.b", 0, "write `!(a.b)`"),
        ("!a[0].b", 0, "write `!(a.b)`"),
        ("!a[?b]", 0, "write `!(a.b)`"),
        ("!a.*", 0, "write `!(a.b)`"),
        ("&a", 0, "outside of map"),
        ("[&a]", 0, "outside of map"),
        ("not_null(&a)", 0, "outside of map"),
        ("a" + "|a" * 100, 0, "more than 64 levels"),
        ("(" * 900, 0, "nested too deeply"),
        ("a" * (MAX_SOURCE + 1), 0, "the most is 2048"),
    ],
)
def test_an_expression_that_cannot_work_is_refused_with_its_place(
    source, position, says
):
    with pytest.raises(InvalidExpression) as caught:
        Expression(source)

    assert says in str(caught.value)
    assert caught.value.position == position
    assert len(str(caught.value)) < 250


def test_text_in_backticks_is_refused_whatever_the_warning_filter():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidExpression, match="single quotes"):
            Expression("a == `gold`")


@given(st.text("ab.[]{}()*?&|!=<>'\"`,:0-@ \\", max_size=30))
@settings(deadline=None, max_examples=400)
def test_any_source_compiles_or_is_refused(source):
    try:
        expression = Expression(source)
    except InvalidExpression:
        return
    with contextlib.suppress(StepFailed):
        expression.evaluate(Scope({"a": [1, {"b": "x"}], "b": {"a": None}}))


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("trigger.body.id", {"trigger.body.id"}),
        ("trigger", {"trigger"}),
        ("@", {""}),
        ("*", {""}),
        ("'text'", set()),
        ("trigger.body.items[0].name", {"trigger.body.items"}),
        ("trigger.body.items[1:].name", {"trigger.body.items"}),
        ("trigger.body.items[*].name", {"trigger.body.items"}),
        ("trigger.body.items[?n > m].name", {"trigger.body.items"}),
        ("trigger.body.items[].name", {"trigger.body.items"}),
        ("trigger.body.*.name", {"trigger.body"}),
        ("trigger.headers | accept", {"trigger.headers.accept"}),
        ("trigger.body[*].a | b", {"trigger.body"}),
        ("[vars.a, steps.b.output]", {"vars.a", "steps.b.output"}),
        ("{x: vars.a, y: vars.b}", {"vars.a", "vars.b"}),
        ("trigger.{x: body.id, y: path}", {"trigger.body.id", "trigger.path"}),
        ("vars.a == vars.b && !(vars.c)", {"vars.a", "vars.b", "vars.c"}),
        ("(vars.a || vars.b).x", {"vars.a", "vars.b"}),
        ("join(vars.a, vars.b)", {"vars.a", "vars.b"}),
        ("sort_by(trigger.body.items, &name)", {"trigger.body.items"}),
        ("trigger.body.length(@)", {"trigger.body"}),
        ("vars.list[*].[a, b]", {"vars.list"}),
    ],
)
def test_what_an_expression_reads_is_known_before_it_runs(source, reads):
    assert {".".join(path) for path in Expression(source).reads} == reads


@pytest.mark.parametrize(
    ("source", "reads_body"),
    [
        ("trigger.body.id", True),
        ("trigger.body", True),
        ("trigger", True),
        ("@", True),
        ("trigger.headers", False),
        ("vars.body", False),
    ],
)
def test_it_is_known_whether_the_body_is_read(source, reads_body):
    assert Expression(source).reads_body is reads_body
