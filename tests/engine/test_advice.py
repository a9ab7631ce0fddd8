"""What the author of a definition is told, beside what is wrong."""

import pytest

from tests.engine.definitions import definition, only_fault, step


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ('trigger.body.a == "x"', "text is written in single quotes: 'x'"),
        ('trigger.body.a == "it\'s"', "text is written in single quotes"),
        ("true", "which does not exist; write true in backticks: `true`"),
        ("None", "which does not exist; write null in backticks: `null`"),
        ("x", "the roots are trigger, steps, vars and execution"),
    ],
)
def test_a_name_that_does_not_exist_comes_with_what_may_be_meant(condition, says):
    where, message = only_fault(definition(step(**{"if": condition})))

    assert where == "/steps/0/if"
    assert says in message
