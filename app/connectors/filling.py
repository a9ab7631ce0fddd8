"""Putting the values of credentials where the settings of a step name them."""

from collections.abc import Mapping
from typing import Any

from app.connectors.outgoing import Proof
from app.connectors.registry import Call
from app.domain.references import Named

TYPES = ("secret",)


class Filling:
    """One request of a step, and the credentials that its places name."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._proof = Proof()

    @property
    def proof(self) -> Proof:
        """What is added when the request is sent, and no other server is shown."""
        return self._proof

    def headers(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the headers that hold no secret; the others become proof."""
        sealed = {k: self._value(v) for k, v in given.items() if _names(v)}
        self._add(headers=sealed)
        return {name: each for name, each in given.items() if name not in sealed}

    def query(self, given: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Return the parameters that hold no secret; the others become proof."""
        sealed = {k: self._value(v) for k, v in given.items() if _names(v)}
        self._add(query=sealed)
        return {name: each for name, each in given.items() if name not in sealed}

    def body(self, value: Any) -> Any:
        """Return a body with the values in it."""
        if not _names(value):
            return value
        self._add(in_body=True)
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Named):
            found = self._call.credential(value.name, TYPES)
            self._add(secrets=tuple(found.secrets()))
            return found.field("value")
        if isinstance(value, dict):
            return {name: self._value(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return value

    def _add(self, **shown: Any) -> None:
        self._proof = self._proof.beside(Proof(**shown))


def _names(value: Any) -> bool:
    """Tell whether a value names a credential somewhere."""
    if isinstance(value, dict):
        return any(map(_names, value.values()))
    if isinstance(value, list):
        return any(map(_names, value))
    return isinstance(value, Named)
