"""What the author of an expression is told who thinks of another language."""

import pytest

from app.domain.expression import Expression
from app.domain.parsing import InvalidExpression


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("trigger.body.amount > 100", "write a number in backticks: `100`"),
        ("trigger.body.amount > -5 && a", "write a number in backticks: `-5`"),
        ("1.5e3 < a", "write a number in backticks: `1.5e3`"),
        ("items[?n >= 2]", "write a number in backticks: `2`"),
        ("length(a) > 3", "write a number in backticks: `3`"),
        ("a and b", "write && for and"),
        ("a == 'x' or b", "write || for or"),
        ("not a", "write ! for not"),
        ("a && not b.c", "write ! for not"),
        ("not (a == b)", "write ! for not"),
        ("trigger.headers['x-a']", 'in double quotes: headers."x-a"'),
        ('trigger.headers["x-a"] == b', 'in double quotes: headers."x-a"'),
        ("a == true", "compares with true, which is a name here; write true in"),
        ("items[?paid == False]", "write false in backticks: `false`"),
        ("null != a", "write null in backticks: `null`"),
        ("a == None", "write null in backticks: `null`"),
        ("a > '100'", "the text '100', which no number is; write a number in"),
        ("items[?n <= '-1.5']", "in backticks: `-1.5`"),
        ("'7' < a", "in backticks: `7`"),
        ("a >= '100'", "in backticks: `100`"),
    ],
)
def test_the_message_says_what_to_write_instead(source, says):
    with pytest.raises(InvalidExpression) as caught:
        Expression(source)

    assert says in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "source", ["a b", "a.not b", "1" * 2000, "a[`[1]`]", 'a["\\n"]']
)
def test_no_advice_is_given_where_nothing_is_known(source):
    with pytest.raises(InvalidExpression) as caught:
        Expression(source)

    assert "write" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "source",
    [
        "a == '100'",
        "a != '100'",
        "a > '2026-01-01'",
        "a < 'm'",
        "trigger.body.true",
        "trigger.body.not",
        "a == @.null",
        "to_number('100') > `5`",
    ],
)
def test_what_may_hold_is_not_refused(source):
    assert Expression(source).source == source
