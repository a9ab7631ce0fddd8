"""The key that a workflow's `dedupe` expression gives a delivery."""

from app.domain import body
from app.domain.body import Decoded
from app.domain.dedupe import key_of_value
from app.domain.errors import StepFailed
from app.domain.execution import Payload
from app.domain.expression import Expression, Scope
from app.engine import scopes


def key_of(expression: Expression, payload: Payload) -> bytes | None:
    """Return a delivery's key; None if the value is null, or the body has no value.

    Raises:
        StepFailed: ``expression``, it cannot be evaluated, or gives too much.
    """
    decoded = Decoded(None)
    if expression.reads_body:
        decoded = body.decode(payload.body, payload.content_type)
    root = {"trigger": scopes.trigger(payload, decoded.value)}
    try:
        value = expression.evaluate(Scope(root, body_error=decoded.error))
        return None if value is None else key_of_value(value)
    except StepFailed as error:
        if error.code == "body-parse":
            return None
        raise
    except ValueError as error:
        message = f"The expression {expression} gives no key: {error}."
        raise StepFailed("expression", message) from error
