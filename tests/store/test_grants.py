"""The contract of grants, over every store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.errors import NotFound
from app.domain.grant import Consent
from tests.store.company import LATER, NOON, credential

MINUTES = timedelta(minutes=10)


@pytest.fixture
def kept(company):
    """A credential of the company."""
    made = credential(company.id)
    company.store.credentials.add(made)
    return made


@pytest.fixture
def consent(company, kept):
    return Consent(
        state_hash=b"\x00state\xff",
        tenant_id=company.id,
        credential_id=kept.id,
        user_id=company.owner.id,
        verifier=b"\x00verifier\xff",
        credential_at=kept.updated_at,
        expires_at=NOON + MINUTES,
    )


@pytest.fixture
def grants(company):
    return company.store.grants


def granted(grants, consent, sealed=b"\x00first\xff"):
    assert grants.grant(consent, sealed)
    return grants.get(consent.tenant_id, consent.credential_id)


def test_a_question_is_answered_once(grants, consent):
    grants.ask(consent, at=NOON)

    assert grants.answer(consent.state_hash, at=LATER) == consent
    with pytest.raises(NotFound):
        grants.answer(consent.state_hash, at=LATER)


def test_of_many_who_bring_an_answer_one_is_heard(grants, consent):
    grants.ask(consent, at=NOON)

    def bring(_):
        try:
            return grants.answer(consent.state_hash, at=LATER)
        except NotFound:
            return None

    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(bring, range(8)))

    assert [each for each in heard if each] == [consent]


def test_a_question_expires(grants, consent):
    grants.ask(consent, at=NOON)

    with pytest.raises(NotFound):
        grants.answer(consent.state_hash, at=NOON + MINUTES)


def test_what_was_never_asked_is_not_answered(grants):
    with pytest.raises(NotFound):
        grants.answer(b"never", at=NOON)


def test_expired_questions_go_when_another_is_asked(grants, consent):
    grants.ask(consent, at=NOON)
    other = replace(
        consent, state_hash=b"other", expires_at=consent.expires_at + MINUTES
    )

    grants.ask(other, at=NOON + MINUTES)

    with pytest.raises(NotFound):  # also for who thinks it is early
        grants.answer(consent.state_hash, at=NOON)


def test_only_for_what_there_is_a_question_is_asked(company, grants, consent):
    with pytest.raises(NotFound):
        grants.ask(replace(consent, credential_id="cred_none"), at=NOON)
    with pytest.raises(NotFound):
        grants.ask(replace(consent, tenant_id="tenant_none"), at=NOON)


def test_what_was_granted_is_kept_and_a_newer_consent_replaces_it(grants, consent):
    assert grants.get(consent.tenant_id, consent.credential_id) is None
    first = granted(grants, consent)
    second = granted(grants, consent, b"second")

    assert (first.generation, first.sealed) == (1, b"\x00first\xff")
    assert (second.generation, second.sealed) == (2, b"second")


def test_another_tenant_has_none(grants, consent):
    granted(grants, consent)

    assert grants.get("tenant_none", consent.credential_id) is None


def test_one_of_many_renews_a_generation(grants, consent):
    first = granted(grants, consent)

    def renew(number):
        return grants.renew(first, b"%d" % number)

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(renew, range(8)))

    assert won.count(True) == 1
    newest = grants.get(consent.tenant_id, consent.credential_id)
    assert (newest.generation, newest.sealed) == (2, b"%d" % won.index(True))


def test_one_of_many_claims_a_generation_for_a_time(grants, consent):
    first = granted(grants, consent)

    def claim(_):
        return grants.claim(first, until=LATER, at=NOON)

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(claim, range(8)))

    assert won.count(True) == 1
    assert grants.claim(first, until=LATER + MINUTES, at=LATER)


def test_what_is_released_may_be_claimed_again(grants, consent):
    first = granted(grants, consent)
    assert grants.claim(first, until=LATER, at=NOON)

    grants.release(first)

    assert grants.claim(first, until=LATER, at=NOON)


def test_a_renewed_grant_is_free_again_and_the_old_one_is_nobodys(grants, consent):
    first = granted(grants, consent)
    assert grants.claim(first, until=LATER, at=NOON)
    assert grants.renew(first, b"second")
    second = grants.get(consent.tenant_id, consent.credential_id)

    assert not grants.claim(first, until=LATER, at=NOON)
    assert grants.claim(second, until=LATER, at=NOON)
    grants.release(first)
    assert not grants.claim(second, until=LATER, at=NOON)


@pytest.mark.parametrize("change", ["replace", "delete"])
def test_other_data_ends_what_was_asked_and_granted(
    company, grants, consent, kept, change
):
    first = granted(grants, consent)
    grants.ask(consent, at=NOON)

    if change == "delete":
        company.store.credentials.delete(company.id, kept.id)
    else:
        company.store.credentials.replace(
            company.id, kept.id, name=kept.name, sealed={"value": b"new"}, at=LATER
        )

    assert grants.get(company.id, kept.id) is None
    assert not grants.renew(first, b"late")
    assert not grants.claim(first, until=LATER, at=NOON)
    assert not grants.grant(consent, b"late")
    with pytest.raises(NotFound):
        grants.answer(consent.state_hash, at=NOON)
