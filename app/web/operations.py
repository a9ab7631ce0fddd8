"""What a route promises, written beside its view.

The guard (`auth`) reads the scope, the OpenAPI document what is seen from outside; the
tests hold every unsafe method to what it says of the audit log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask
from pydantic import BaseModel

from app.domain.account import Scope
from app.domain.audit import Action

View = TypeVar("View", bound=Callable[..., Any])
Content = type[BaseModel] | str | None  # JSON of this shape, a media type, nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A decorator that marks a view with its promise.

    `problems` are the statuses of refusals beyond those that follow from the rest:
    a scope means 401 and 403, a body 413 and 422, an id in the path 404.
    """

    scope: Scope | None  # what a caller needs; None: anybody may call
    person: bool = False  # only for who has logged in, not for keys
    own: Scope | None = None  # what a person needs for what is theirs, if that is less
    answers: Mapping[int, Content]
    body: type[BaseModel] | None = None
    raw_body: bool = False  # takes bytes of any kind
    query: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    headers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    audits: tuple[Action, ...] = ()  # what it may write in the audit log
    unaudited: str = ""  # why it writes nothing there though its method is unsafe

    def __call__(self, view: View) -> View:
        """Mark a view."""
        vars(view)["operation"] = self
        return view


def promised(app: Flask, endpoint: str) -> Operation:
    """Return what a view promises.

    Raises:
        LookupError: it is not marked; nobody may call it before it is.
    """
    found = vars(app.view_functions[endpoint]).get("operation")
    if found is None:
        raise LookupError(f"view {endpoint} is not marked with an Operation")
    assert isinstance(found, Operation)
    return found
