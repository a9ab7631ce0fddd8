"""What is sealed, in memory."""

import dataclasses
from collections.abc import Iterator, Sequence

from app.domain.sealing import Kind, Sealed
from app.domain.workflow import Token
from app.store.memory.state import State


class MemorySealings:
    """`Sealings` over the dictionaries of the other collections."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(
        self, kind: Kind, *, limit: int, after: Sealed | None = None
    ) -> Sequence[Sealed]:
        with self._state.lock:
            found = sorted(self._all(kind), key=_place)
        rest = [each for each in found if after is None or _place(each) > _place(after)]
        return rest[:limit]

    def exchange(self, pairs: Sequence[tuple[Sealed, Sealed]]) -> int:
        with self._state.writing():
            now = {_place(each): each for kind in Kind for each in self._all(kind)}
            changing = [new for old, new in pairs if now.get(_place(old)) == old]
            for each in changing:
                self._keep(each)
            return len(changing)

    def _all(self, kind: Kind) -> Iterator[Sealed]:
        if kind is Kind.CREDENTIALS:
            for one in self._state.credentials.values():
                yield _sealed(kind, one.tenant_id, one.id, one.id, dict(one.sealed))
        elif kind is Kind.WEBHOOKS:
            for door in self._state.workflows.values():
                fields = {"token": door.token.sealed}
                yield _sealed(kind, door.tenant_id, door.id, door.id, fields)
        elif kind is Kind.GRANTS:
            for grant in self._state.grants.values():
                place = grant.credential_id
                fields = {"grant": grant.sealed}
                yield _sealed(kind, grant.tenant_id, place, place, fields)
        else:
            for asked in self._state.consents.values():
                fields = {"verifier": asked.verifier}
                key, place = asked.state_hash, asked.credential_id
                yield _sealed(kind, asked.tenant_id, key, place, fields)

    def _keep(self, new: Sealed) -> None:
        key, state, fields = (new.tenant_id, new.place), self._state, new.fields
        if new.kind is Kind.CREDENTIALS:
            one = state.credentials[key]
            state.credentials[key] = dataclasses.replace(one, sealed=fields)
        elif new.kind is Kind.WEBHOOKS:
            door = state.workflows[key]
            token = Token(door.token.hash, fields["token"])
            state.workflows[key] = dataclasses.replace(door, token=token)
        elif new.kind is Kind.GRANTS:
            grant = state.grants[key]
            state.grants[key] = dataclasses.replace(grant, sealed=fields["grant"])
        else:
            assert isinstance(new.key, bytes)
            asked = dataclasses.replace(
                state.consents[new.key], verifier=fields["verifier"]
            )
            state.consents[new.key] = asked


def _sealed(
    kind: Kind, tenant_id: str, key: str | bytes, place: str, fields: dict[str, bytes]
) -> Sealed:
    return Sealed(kind=kind, tenant_id=tenant_id, key=key, place=place, fields=fields)


def _place(sealed: Sealed) -> tuple[str, str, bytes]:
    key = sealed.key if isinstance(sealed.key, bytes) else sealed.key.encode()
    return sealed.kind, sealed.tenant_id, key
