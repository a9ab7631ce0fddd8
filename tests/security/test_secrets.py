from dataclasses import replace

import pytest

from app.domain import ids, times
from app.domain.credential import Credential
from app.domain.errors import NotFound, Unsealable
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.store.memory import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def secrets(store):
    return Secrets(store.credentials, Vault([b"k" * 32]))


@pytest.fixture
def kept(store, secrets):
    at, credential_id = times.now(), ids.new("cred")
    added = Credential(
        tenant_id="tenant_1",
        id=credential_id,
        name="hook",
        type="secret",
        workflow_id=None,
        sealed=secrets.seal("tenant_1", credential_id, {"value": "canary-8f2c ü"}),
        created_at=at,
        updated_at=at,
    )
    store.credentials.add(added)
    return added


def test_a_secret_is_revealed_by_name(secrets, kept):
    assert secrets.reveal("tenant_1", "hook") == "canary-8f2c ü".encode()


def test_a_tenant_sees_only_its_own(secrets, kept):
    with pytest.raises(NotFound, match="no credential `hook`"):
        secrets.reveal("tenant_2", "hook")


def test_a_field_that_its_type_has_not_is_not_found(secrets, kept):
    with pytest.raises(NotFound, match="of type secret and has no url"):
        secrets.reveal("tenant_1", "hook", field="url")


def test_a_row_copied_to_another_tenant_does_not_open(store, secrets, kept):
    store.credentials.add(replace(kept, tenant_id="tenant_2"))

    with pytest.raises(Unsealable):
        secrets.reveal("tenant_2", "hook")


def test_fields_that_changed_places_do_not_open(store, secrets, kept):
    url = secrets.seal("tenant_1", kept.id, {"url": "https://hooks.example"})["url"]
    store.credentials.replace(
        "tenant_1", kept.id, name="hook", sealed={"value": url}, at=times.now()
    )

    with pytest.raises(Unsealable):
        secrets.reveal("tenant_1", "hook")


def test_a_secret_is_compared_without_showing_it(secrets, kept):
    assert secrets.holds(kept, "value", "canary-8f2c ü")
    assert not secrets.holds(kept, "value", "canary-8f2c")


def test_nothing_that_was_sealed_is_shown_by_the_credential_itself(kept):
    assert "sealed" not in repr(kept)
