"""Owners read of logins that were refused; a flood of them does not fill the disk."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.account import Role
from app.web import limits
from tests.web import people
from tests.web.people import Person

WRONG = "a wrong password"


@pytest.fixture
def owner(app, store) -> Iterator[Person]:
    person = people.owner(app, store)
    person.log_in()
    yield person
    store.tries.sweep(times.now() + timedelta(days=2), limit=1000)


def refused(owner: Person):
    return owner.call("GET", "/audit?action=session.refuse")["items"]


def attack(app, email: str, password: str = WRONG) -> int:
    return Person(app, email, password).log_in().status_code


def test_a_refused_login_is_in_the_log_of_the_users_tenant(app, owner):
    assert attack(app, owner.email) == 401

    [entry] = refused(owner)
    assert entry["target"] == owner.me["user"]["id"]
    assert entry["address"] == "127.0.0.1"
    assert (entry["user_id"], entry["via"]) == (None, None)
    assert WRONG not in str(entry)


def test_it_is_in_the_log_of_every_tenant_of_the_user_and_of_no_other(
    app, store, owner
):
    second, third = people.owner(app, store), people.owner(app, store)
    people.join(store, owner, _logged_in(second), Role.VIEWER)

    attack(app, owner.email)

    assert len(refused(owner)) == len(refused(second)) == 1
    assert refused(_logged_in(third)) == []


def test_nobodys_login_is_in_no_log(app, owner):
    assert attack(app, "nobody@example.com") == 401

    assert refused(owner) == []


def test_a_flood_leaves_a_few_entries(app, store, owner):
    at = times.now()
    for _ in range(40):
        attack(app, owner.email)
        store.tries.clear(_of_account(owner.email))  # as if each had waited its time

    assert times.now() - at < timedelta(minutes=5)
    assert 1 <= len(refused(owner)) <= 6


def test_a_right_password_is_no_refusal(app, owner):
    assert attack(app, owner.email, owner.password) == 200

    assert refused(owner) == []


def _logged_in(person: Person) -> Person:
    assert person.log_in().status_code == 200
    return person


def _of_account(email: str) -> bytes:
    return limits._key("account", email)
