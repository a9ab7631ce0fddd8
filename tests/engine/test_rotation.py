"""All that is sealed, sealed anew."""

from types import SimpleNamespace

import pytest

from app.domain import times
from app.domain.credential import Credential
from app.domain.errors import Unsealable
from app.domain.process import Kind as ProcessKind
from app.domain.process import Process
from app.domain.sealing import Kind
from app.engine.rotation import Progress, Rotation
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.store.memory import MemoryStore

OLD, NEW, GONE = b"o" * 32, b"n" * 32, b"g" * 32


class Living:
    """Knows who has died."""

    def __init__(self, *dead):
        self._dead = dead

    def dead(self):
        return self._dead


@pytest.fixture
def store():
    return MemoryStore()


def keep(store, number, key=OLD, **data):
    """Keep a credential that is sealed under a key."""
    at, credential_id = times.now(), f"cred_{number:03}"
    sealed = Secrets(store.credentials, Vault([key])).seal(
        "tenant_1", credential_id, data or {"value": f"s3cret {number}"}
    )
    made = Credential(
        tenant_id="tenant_1", id=credential_id, name=f"name {number}", type="secret",
        workflow_id=None, sealed=sealed, created_at=at, updated_at=at,
    )  # fmt: skip
    store.credentials.add(made)
    return made


def rotate(store, sealings=None):
    told: list[Progress] = []
    busy = SimpleNamespace(sealings=sealings or store.sealings, processes=None)
    rotation = Rotation(busy, Vault([NEW, OLD]), Living(), batch=10)
    done = {each.kind: each for each in rotation.run(told.append)}
    return done[Kind.CREDENTIALS], told


def test_afterwards_the_new_key_alone_opens_everything(store):
    for number in range(25):
        keep(store, number)
    keep(store, 25, a="1", b="2")

    last, told = rotate(store)

    secrets = Secrets(store.credentials, Vault([NEW]))
    for number in range(25):
        found = secrets.opened("tenant_1", f"name {number}")
        assert found.data == {"value": f"s3cret {number}"}
    assert secrets.opened("tenant_1", "name 25").data == {"a": "1", "b": "2"}
    assert (last.seen, last.changed, last.left, last.lost) == (26, 0, 0, 0)
    assert [each.changed for each in told if each.kind is Kind.CREDENTIALS] == [
        10, 20, 26, 0, 0, 0,
    ]  # fmt: skip


def test_what_was_done_is_not_done_again(store):
    for number in range(5):
        keep(store, number)
    rotate(store)
    before = store.sealings.page(Kind.CREDENTIALS, limit=10)

    rotate(store)

    assert store.sealings.page(Kind.CREDENTIALS, limit=10) == before


def test_what_no_key_opens_is_counted_and_left(store):
    keep(store, 1)
    lost = keep(store, 2, key=GONE)

    last, _ = rotate(store)

    assert (last.seen, last.lost) == (2, 1)
    assert store.credentials.get("tenant_1", lost.id).sealed == lost.sealed


class Busy:
    """A service that changes a row each time before it is exchanged."""

    def __init__(self, store, times_left):
        self._store, self._left = store, times_left

    def page(self, kind, **more):
        return self._store.sealings.page(kind, **more)

    def exchange(self, pairs):
        if self._left:
            self._left -= 1
            self.change()
        return self._store.sealings.exchange(pairs)

    def change(self):
        found = self._store.credentials.get("tenant_1", "cred_001")
        secrets = Secrets(self._store.credentials, Vault([OLD]))
        sealed = secrets.seal("tenant_1", found.id, {"value": "newer"})
        self._store.credentials.replace(
            found.tenant_id, found.id, name=found.name, sealed=sealed, at=times.now()
        )


def test_what_a_service_stores_meanwhile_wins_and_is_sealed_anew_too(store):
    keep(store, 1)

    last, told = rotate(store, Busy(store, 3))

    assert [each.left for each in told if each.kind is Kind.CREDENTIALS] == [
        1, 1, 1, 0, 0,
    ]  # fmt: skip
    assert last.left == last.changed == 0
    opened = Secrets(store.credentials, Vault([NEW])).opened("tenant_1", "name 1")
    assert opened.data == {"value": "newer"}


def test_who_never_rests_is_told_so(store):
    keep(store, 1)

    last, _ = rotate(store, Busy(store, 1000))

    assert last.left == 1


def test_before_it_is_over_the_old_key_is_needed(store):
    keep(store, 1)

    with pytest.raises(Unsealable, match="SLUICE_ENCRYPTION_KEYS"):
        Secrets(store.credentials, Vault([NEW])).opened("tenant_1", "name 1")


def test_who_lives_and_does_not_know_the_key_is_found(store):
    vault = Vault([NEW, OLD])
    for name, keys in (("knows", vault.ring), ("old", vault.ring[1:]), ("dead", ())):
        store.processes.add(
            Process(
                id=name, kind=ProcessKind.WEB, workers=1, queue=1,
                started_at=times.now(), keys=tuple(keys),
            )
        )  # fmt: skip

    assert Rotation(store, vault, Living("dead")).ignorant() == ["old"]
    assert Rotation(store, Vault([OLD]), Living("dead")).ignorant() == []
