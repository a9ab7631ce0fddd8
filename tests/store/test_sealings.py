"""The contract of what is sealed, over every store."""

from dataclasses import replace

import pytest

from app.domain.grant import Consent
from app.domain.sealing import Kind
from tests.store.company import LATER, NOON, credential


@pytest.fixture
def sealings(company):
    return company.store.sealings


def mine(sealings, company, kind):
    """What is sealed for a company; other tests may share the store."""
    found, after = [], None
    while page := sealings.page(kind, limit=2, after=after):
        found += page
        after = page[-1]
    return [each for each in found if each.tenant_id == company.id]


def anew(sealed):
    fields = {name: b"\x00new\xff" + each for name, each in sealed.fields.items()}
    return replace(sealed, fields=fields)


@pytest.fixture
def full(company):
    """One of each kind, and a second credential."""
    for name in ("one", "two"):
        company.store.credentials.add(
            credential(company.id, name=name, sealed={"b": b"\x00b", "a": b"\xffa"})
        )
    kept = company.store.credentials.by_name(company.id, "one")
    consent = Consent(
        state_hash=b"\x00state\xff" + company.id.encode(),
        tenant_id=company.id,
        credential_id=kept.id,
        user_id=company.owner.id,
        verifier=b"\x00verifier",
        credential_at=kept.updated_at,
        expires_at=LATER,
    )
    assert company.store.grants.grant(consent, b"\x00tokens")
    company.store.grants.ask(consent, at=NOON)
    return consent


def test_all_that_is_sealed_is_found_page_by_page(company, sealings, full):
    found = {kind: mine(sealings, company, kind) for kind in Kind}

    kept = company.store.credentials.list(company.id, limit=9, before=None)
    assert [each.place for each in found[Kind.CREDENTIALS]] == sorted(
        each.id for each in kept
    )
    assert found[Kind.CREDENTIALS][0].fields == {"b": b"\x00b", "a": b"\xffa"}
    [webhook] = found[Kind.WEBHOOKS]
    assert webhook.place == company.workflow.id
    assert webhook.fields == {"token": company.workflow.token.sealed}
    [grant] = found[Kind.GRANTS]
    assert (grant.place, grant.fields) == (full.credential_id, {"grant": b"\x00tokens"})
    [asked] = found[Kind.CONSENTS]
    assert (asked.place, asked.fields) == (
        full.credential_id,
        {"verifier": b"\x00verifier"},
    )


@pytest.mark.parametrize("kind", Kind)
def test_what_is_exchanged_is_read_where_it_was(company, sealings, full, kind):
    before = mine(sealings, company, kind)

    assert sealings.exchange([(each, anew(each)) for each in before]) == len(before)

    assert mine(sealings, company, kind) == [anew(each) for each in before]


@pytest.mark.parametrize("kind", Kind)
def test_what_has_changed_meanwhile_stays(company, sealings, full, kind):
    before = mine(sealings, company, kind)
    now = [anew(each) for each in before]
    sealings.exchange(list(zip(before, now, strict=True)))

    late = [(each, anew(anew(anew(each)))) for each in before]

    assert sealings.exchange(late) == 0
    assert mine(sealings, company, kind) == now


def test_an_exchange_changes_nothing_else(company, sealings, full):
    [before] = [
        each for each in mine(sealings, company, Kind.CREDENTIALS)
        if each.place == full.credential_id
    ]  # fmt: skip
    credentials, grants = company.store.credentials, company.store.grants
    kept = credentials.get(company.id, full.credential_id)

    sealings.exchange([(before, anew(before))])

    after = credentials.get(company.id, full.credential_id)
    assert after == replace(kept, sealed=anew(before).fields)
    assert grants.get(company.id, full.credential_id).generation == 1
    assert grants.answer(full.state_hash, at=NOON) == full


def test_what_is_deleted_meanwhile_stays_deleted(company, sealings, full):
    before = mine(sealings, company, Kind.CREDENTIALS)
    company.store.credentials.delete(company.id, full.credential_id)

    assert sealings.exchange([(each, anew(each)) for each in before]) == 1
    assert len(mine(sealings, company, Kind.CREDENTIALS)) == 1


def test_webhooks_of_deleted_workflows_are_found_too(company, sealings):
    company.store.workflows.delete(company.id, company.workflow.id, at=LATER)

    assert len(mine(sealings, company, Kind.WEBHOOKS)) == 1
