"""Writing in the audit log, together with the change that is told of."""

from collections.abc import Callable, Iterable
from typing import Any

from app.domain.audit import Actor, Deed, Entry
from app.store.protocol import Collections, Note
from app.web import requests
from app.web.auth import caller
from app.web.services import services


def noting(tell: Callable[[Any], Iterable[Deed]]) -> Collections:
    """Return the store; a change made through it is committed with its entries.

    `tell` is given what the change returned, and runs on the store's thread: it must
    not touch the request.
    """
    return services().store.noting(note(tell))


def note(tell: Callable[[Any], Iterable[Deed]]) -> Note:
    """Return what `Store.noting` takes, in the name of the caller."""
    actor = acting()

    def entries(result: Any) -> Iterable[Entry]:
        return [actor.did(deed) for deed in tell(result)]

    return entries


def acting() -> Actor:
    """Return who is calling, by which means and from where."""
    who = caller()
    return Actor(
        tenant_id=who.tenant_id,
        user_id=who.user_id,
        via=who.via,
        source=requests.source(),
    )
