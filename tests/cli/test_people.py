"""The commands for people who cannot get in any more, on a real database."""

import pytest

from app.cli import main
from app.domain import times
from app.domain.account import Role, Scope
from app.security import keys
from app.security.passwords import Passwords
from app.store.protocol import AuditFilter
from app.store.sql import SqlStore
from tests.store.company import NOON, found, invitation, session


@pytest.fixture
def env(tmp_path):
    return {"SLUICE_DATA_DIR": str(tmp_path), "SLUICE_SECRET_KEY": "ignored"}


@pytest.fixture
def store(tmp_path):
    """A server's store that stays open beside the command."""
    store = SqlStore(f"sqlite:///{tmp_path / 'sluice.db'}")
    store.start()
    yield store
    store.close()


@pytest.fixture
def company(store):
    return found(store, email="miller@example.com")


def audited(store, tenant_id):
    return store.audit.list(tenant_id, AuditFilter(), limit=5, before=None)


def test_a_user_gets_another_password_and_every_session_ends(
    env, store, company, capsys
):
    login = session(company.id, company.owner.id, used_at=times.now())
    store.sessions.add(login, password_hash=company.owner.password_hash)

    assert main(["reset-password", " Miller@Example.com "], env) == 0

    told = capsys.readouterr()
    stored = store.accounts.user(company.owner.id).password_hash
    assert Passwords().verify(stored, told.out.strip())
    assert "miller@example.com" in told.err
    assert "/api/v1/auth/login" in told.err
    assert told.out.strip() not in told.err
    assert store.sessions.find(login.token_hash, at=NOON) is None
    [entry, *_] = audited(store, company.id)
    assert (entry.deed.action, entry.user_id) == ("password.change", None)


def test_an_owner_gets_another_admin_key_for_his_tenant(env, store, company, capsys):
    assert main(["make-key", "miller@example.com"], env) == 0

    presented = keys.parse(capsys.readouterr().out.strip())
    assert presented is not None
    key = store.api_keys.find(presented.prefix)
    assert presented.proves(key.secret_hash)
    assert (key.tenant_id, key.user_id) == (company.id, company.owner.id)
    assert key.allowed == {Scope.ADMIN}
    assert key.lasts
    [entry, *_] = audited(store, company.id)
    assert (entry.deed.action, entry.deed.target) == ("key.create", key.id)


def test_an_owner_of_several_tenants_names_one(env, store, company, capsys):
    other = found(store, name="Other")
    invited = invitation(other.id, other.owner.id, role=Role.OWNER)
    store.invitations.add(invited)
    store.invitations.accept(invited.token_hash, company.owner, at=NOON)

    assert main(["make-key", "miller@example.com"], env) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert other.id in told.err
    assert "Other" in told.err
    assert main(["make-key", "miller@example.com", "--tenant", other.id], env) == 0

    presented = keys.parse(capsys.readouterr().out.strip())
    assert presented is not None
    assert store.api_keys.find(presented.prefix).tenant_id == other.id


def test_who_is_no_owner_gets_no_key(env, store, company, capsys):
    member = company.join(Role.EDITOR)

    assert main(["make-key", member.email], env) == 1
    assert main(["make-key", "miller@example.com", "--tenant", "tenant_1"], env) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert "not an owner of any tenant" in told.err
    assert "not an owner of the tenant 'tenant_1'" in told.err


@pytest.mark.parametrize("command", ["reset-password", "make-key"])
def test_an_unknown_address_is_told(env, store, company, capsys, command):
    assert main([command, "nobody@example.com"], env) == 1

    told = capsys.readouterr()
    assert told.out == ""
    assert "no user with the address 'nobody@example.com'" in told.err


@pytest.mark.parametrize("command", ["reset-password", "make-key"])
def test_no_database_is_made_where_there_is_none(env, tmp_path, capsys, command):
    assert main([command, "miller@example.com"], env) == 1

    assert "SLUICE_DATA_DIR" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_is_wrong_is_told(env, capsys):
    wrong = env | {"DATABASE_URL": "mysql://x"}

    assert main(["make-key", "miller@example.com"], wrong) == 1

    assert "DATABASE_URL" in capsys.readouterr().err
