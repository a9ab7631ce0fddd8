from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.account import Role, Scope
from app.domain.errors import Conflict, NotFound
from tests.store.company import LATER, NOON, api_key

ADMIN = frozenset({Scope.ADMIN})


def add(company, **changes):
    key = api_key(company.id, company.owner.id, **changes)
    company.store.api_keys.add(key)
    return key


def listed(company, *, limit=10, before=None):
    return company.store.api_keys.list(company.id, limit=limit, before=before)


def test_a_key_is_found_by_its_public_part(store, company):
    key = add(company, expires_at=LATER)

    assert store.api_keys.find(key.prefix) == key
    assert store.api_keys.find("nobody's") is None


def test_keys_are_listed_newest_first_and_in_pages(company):
    keys = [company.key, add(company), add(company)]

    first = listed(company, limit=2)
    rest = listed(company, limit=2, before=first[-1].id)

    assert [*first, *rest] == keys[::-1]


def test_the_last_admin_key_that_lasts_cannot_be_revoked(store, company):
    first = add(company, scopes=ADMIN)
    add(company, scopes=ADMIN, expires_at=LATER)

    with pytest.raises(Conflict, match="last key"):
        store.api_keys.revoke(company.id, first.id, at=NOON)

    add(company, scopes=ADMIN)
    store.api_keys.revoke(company.id, first.id, at=NOON)
    store.api_keys.revoke(company.id, first.id, at=LATER)


def test_of_two_admin_keys_revoked_at_once_one_stays(store, company):
    both = [add(company, scopes=ADMIN) for _ in range(2)]

    def revoke(key):
        try:
            store.api_keys.revoke(company.id, key.id, at=NOON)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(revoke, both)) == [False, True]


def test_a_revoked_key_is_found_but_not_listed(store, company):
    store.api_keys.revoke(company.id, company.key.id, at=LATER)

    found = store.api_keys.find(company.key.prefix)
    assert found is not None
    assert found.revoked_at == LATER
    assert listed(company) == []


def test_a_second_revocation_changes_nothing(store, company):
    store.api_keys.revoke(company.id, company.key.id, at=NOON)

    store.api_keys.revoke(company.id, company.key.id, at=LATER)

    assert store.api_keys.find(company.key.prefix).revoked_at == NOON


def test_a_public_part_is_given_once(company):
    with pytest.raises(Conflict):
        add(company, prefix=company.key.prefix)


def test_another_tenants_key_can_be_neither_listed_nor_revoked(store, company, other):
    with pytest.raises(NotFound):
        store.api_keys.revoke(other.id, company.key.id, at=LATER)

    assert store.api_keys.find(company.key.prefix) == company.key
    assert listed(other) == [other.key]


def test_an_unknown_key_cannot_be_revoked(store, company):
    with pytest.raises(NotFound):
        store.api_keys.revoke(company.id, "key_none", at=LATER)


def test_use_is_written_once_a_minute(store, company):
    key = add(company)

    for seconds in (0, 59, 60, 61):
        at = NOON + timedelta(seconds=seconds)
        store.api_keys.use(store.api_keys.find(key.prefix), at=at).result(timeout=5)
        expected = NOON + timedelta(seconds=seconds // 60 * 60)
        assert store.api_keys.find(key.prefix).used_at == expected

    assert listed(company)[0].used_at == NOON + timedelta(minutes=1)


def test_a_key_tells_what_its_user_is_now(store, company):
    member = company.join(Role.VIEWER)
    key = api_key(company.id, member.id, scopes=ADMIN)
    store.api_keys.add(key)

    found = store.api_keys.find(key.prefix)

    assert found == replace(key, role=Role.VIEWER)
    assert found.allowed == {Scope.READ}
    assert listed(company)[0] == found


def test_the_admin_key_of_who_is_no_owner_is_not_counted_as_one(store, company):
    member = company.join(Role.EDITOR)
    kept = add(company, scopes=ADMIN)
    cut = api_key(company.id, member.id, scopes=ADMIN)
    store.api_keys.add(cut)

    with pytest.raises(Conflict, match="last key"):
        store.api_keys.revoke(company.id, kept.id, at=NOON)

    store.api_keys.revoke(company.id, cut.id, at=NOON)


def test_of_one_user_only_their_keys_are_listed_and_ended(store, company):
    member = company.join(Role.EDITOR)
    theirs = api_key(company.id, member.id, role=Role.EDITOR)
    store.api_keys.add(theirs)

    found = store.api_keys.list(company.id, limit=9, before=None, user_id=member.id)
    with pytest.raises(NotFound):
        store.api_keys.revoke(company.id, company.key.id, at=NOON, user_id=member.id)
    ended = store.api_keys.revoke(company.id, theirs.id, at=NOON, user_id=member.id)

    assert list(found) == [theirs]
    assert ended == theirs
    assert listed(company) == [company.key]
