"""Plain paths such as ``trigger.body.id``, which the interpreter does not follow."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.parser import Parser

from app.domain.errors import StepFailed
from app.domain.expression import Expression, Scope
from app.domain.interpreter import SIZE, STEPS, Budget, Interpreter
from app.domain.parsing import MAX_SOURCE

members = st.sampled_from(["a", "b", "body", "content-type", "ü", "", "a.b", 'q"\\'])
documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text("ab", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4)
    ),
    max_leaves=10,
)


def written(path, between):
    """Write names as one may: in quotes, or plainly where that is allowed."""
    plainly = re.compile("[a-z]+")
    return between.join(
        name if plainly.fullmatch(name) else json.dumps(name) for name in path
    )


def outcome(expression, scope):
    """Return the value and its types, all the way down, or how it failed."""
    try:
        return repr(expression.evaluate(scope))
    except StepFailed as failed:
        return failed.code, str(failed).replace(str(expression), "")


@given(
    st.dictionaries(members, documents, max_size=4),
    st.lists(members, min_size=1, max_size=6),
    st.sampled_from([".", " . "]),
    st.sampled_from([None, "It is XML."]),
)
@settings(deadline=None, max_examples=80)
def test_a_plain_path_gives_what_the_interpreter_gives(inner, path, between, error):
    """A pipe is no plain path, and means the same: the interpreter follows it."""
    root = {**inner, "trigger": {**inner, "body": None if error else inner}}
    scope = Scope(root, error)
    for names_ in (path, ["trigger", *path], ["trigger", "body", *path]):
        plain = Expression(written(names_, between))
        interpreted = Expression(f"@ | {plain.source}")
        assert plain._path == tuple(names_)
        assert interpreted._path is None

        assert outcome(plain, scope) == outcome(interpreted, scope)


def test_the_longest_path_that_can_be_saved_fits_into_every_budget():
    """So nothing is lost by not counting the steps of plain paths."""
    path = ".".join("a" * (MAX_SOURCE // 2))
    budget = Budget()

    Interpreter().run(Parser().parse(path).parsed, {}, budget)

    assert STEPS - budget.steps <= MAX_SOURCE
    assert budget.size == SIZE
    assert Expression(path).evaluate(Scope({})) is None
