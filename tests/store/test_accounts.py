from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.account import Role
from app.domain.errors import Conflict, NotFound, SignupClosed
from tests.store.company import api_key, tenant, user


def register(store, *, email="ann@example.com", only_first=False):
    new, owner = tenant(), user(email)
    key = api_key(new.id, owner.id)
    store.accounts.register(new, owner, key, only_first=only_first)
    return new, owner, key


def test_a_registration_is_a_tenant_its_owner_and_a_key(store):
    new, owner, key = register(store)

    assert store.accounts.tenant(new.id) == new
    assert store.accounts.user(owner.id) == owner
    assert store.members.get(new.id, owner.id).role is Role.OWNER
    assert store.api_keys.find(key.prefix) == key


def test_only_the_first_registration_is_open(store):
    register(store, only_first=True)

    with pytest.raises(SignupClosed):
        register(store, email="bob@example.com", only_first=True)


def test_an_open_registration_closes_the_first_one_too(store):
    register(store)

    with pytest.raises(SignupClosed):
        register(store, email="bob@example.com", only_first=True)


def test_an_address_registers_once_whatever_its_case(store):
    register(store, email="Ann@Example.com")

    with pytest.raises(Conflict, match="log in"):
        register(store, email="aNN@example.COM")


def test_a_refused_registration_leaves_nothing(store):
    register(store)
    new, owner = tenant("Second"), user("ann@example.com")
    key = api_key(new.id, owner.id)

    with pytest.raises(Conflict):
        store.accounts.register(new, owner, key, only_first=False)

    assert store.api_keys.find(key.prefix) is None
    with pytest.raises(NotFound):
        store.accounts.tenant(new.id)
    with pytest.raises(NotFound):
        store.accounts.user(owner.id)


def test_of_eight_simultaneous_first_registrations_one_wins(store):
    def attempt(number: int) -> bool:
        try:
            register(store, email=f"{number}@example.com", only_first=True)
        except SignupClosed:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(attempt, range(8)))

    assert won.count(True) == 1


def test_who_is_not_there_is_not_found(store, company):
    with pytest.raises(NotFound):
        store.accounts.tenant("tenant_none")
    with pytest.raises(NotFound):
        store.accounts.user("user_none")
    with pytest.raises(NotFound):
        store.members.get(company.id, "user_none")


def test_an_owner_is_nobody_in_another_tenant(store, company, other):
    with pytest.raises(NotFound):
        store.members.get(other.id, company.owner.id)
