"""What a person reads who changes the key; tests/system does it under load."""

from base64 import b64encode

import pytest

from app import cli
from app.domain import ids, times
from app.domain.credential import Credential
from app.engine.ownership import FileOwnership
from app.security.secrets import Secrets
from app.security.vault import Vault
from app.store.sql import SqlStore
from tests.store.company import found, process

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def env(tmp_path):
    keys = ",".join(b64encode(each).decode() for each in (NEW, OLD))
    return {"SLUICE_DATA_DIR": str(tmp_path), "SLUICE_ENCRYPTION_KEYS": keys}


@pytest.fixture
def sealed(tmp_path):
    """Seal a credential, and leave another that no key opens."""

    def seal(*keys):
        store = SqlStore(f"sqlite:///{tmp_path}/sluice.db")
        store.start()
        company, at = found(store), times.now()
        store.workflows.delete(company.id, company.workflow.id, at=at)
        for number, key in enumerate(keys):
            secrets, credential_id = (
                Secrets(store.credentials, Vault([key])),
                ids.new("cred"),
            )
            made = Credential(
                tenant_id=company.id, id=credential_id, name=f"n{number}",
                type="secret", workflow_id=None, created_at=at, updated_at=at,
                sealed=secrets.seal(company.id, credential_id, {"value": "s3cret"}),
            )  # fmt: skip
            store.credentials.add(made)
        store.close()

    return seal


def run(env, capsys):
    code = cli.main(["rotate-keys"], env)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_says_that_the_old_key_can_go(env, sealed, capsys):
    sealed(OLD, OLD)

    code, out, _ = run(env, capsys)

    assert "credentials: 2 seen, 2 sealed anew\n" in out
    assert "are sealed under the first key. The other keys can be removed" in out
    assert run(env, capsys)[1].count("2 sealed anew") == 0
    assert code == 1  # the webhook of the company in this test opens under no key
    assert "webhooks: 1 open under none of the keys" in out


def test_a_service_that_does_not_know_the_key_stops_it(env, sealed, tmp_path, capsys):
    sealed(OLD)
    store = SqlStore(f"sqlite:///{tmp_path}/sluice.db")
    store.start()
    running = FileOwnership(
        tmp_path / "owners",
        process("proc_old", keys=tuple(Vault([OLD]).ring)),
        store.processes,
    )
    running.acquire()

    code, out, err = run(env, capsys)
    running.release()
    after, _, _ = run(env, capsys)  # it is still in the books, and dead
    store.close()

    assert (code, out) == (1, "")
    assert "does not know the first key" in err
    assert "restart it with the same setting" in err
    assert after == 1
    assert "does not know" not in capsys.readouterr().err


def test_where_nothing_is_sealed_something_is_wrong(env, capsys):
    code, _, err = run(env, capsys)

    assert code == 1
    assert "are SLUICE_DATA_DIR, DATABASE_URL and SLUICE_ENCRYPTION_KEYS those" in err


def test_a_wrong_setting_is_named(capsys):
    code, _, err = run({"SLUICE_ENCRYPTION_KEYS": "short"}, capsys)

    assert code == 1
    assert "SLUICE_ENCRYPTION_KEYS" in err
