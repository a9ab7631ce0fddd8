"""What an event leaves behind goes at once, and not when garbage is looked for."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from app.domain.interpreter import Budget, Interpreter
from app.domain.parsing import parse
from app.web.outcomes import Answer
from tests.web.receiving import Rig


class Teller:
    """Whoever waits for an answer, with all that belongs to the request."""

    def __init__(self) -> None:
        self.answers: list[int] = []

    def __call__(self, answer: Answer) -> None:
        self.answers.append(answer.status)


@pytest.fixture(autouse=True)
def nobody_looks_for_garbage() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_a_delivery_that_was_answered_on_the_event_loop():
    rig, teller = Rig(), Teller()
    gone, told = weakref.ref(teller), teller.answers
    rig.admit().when_answered(teller)
    del teller
    assert gone() is not None

    rig.desk.commit()
    rig.desk.futures.clear()

    assert told == [202]
    assert gone() is None


def test_an_expression_that_was_evaluated():
    interpreter = Interpreter()
    gone = weakref.ref(interpreter)
    tree = parse("length(trigger.list) > `1` && sort_by(trigger.list, &n)")
    root = {"trigger": {"list": [{"n": 2}, {"n": 1}]}}

    found = interpreter.run(tree, root, Budget())
    del interpreter

    assert found == [{"n": 1}, {"n": 2}]
    assert gone() is None
