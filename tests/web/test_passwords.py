"""Changing a password."""

import pytest

from tests.web import people
from tests.web.people import PASSWORD, Person

NEW = "another horse battery staple"


@pytest.fixture
def person(app, store) -> Person:
    made = people.owner(app, store)
    assert made.log_in().status_code == 200
    return made


def change(person, **changes):
    asked = {"password": PASSWORD, "new_password": NEW, **changes}
    return person.ask("POST", "/auth/password", asked)


def test_a_new_password_works_from_now_on_and_the_old_one_never_again(app, person):
    assert change(person).status_code == 200

    assert Person(app, person.email).log_in().status_code == 401
    assert Person(app, person.email, NEW).log_in().status_code == 200


def test_it_ends_every_other_session_and_gives_this_one_another_cookie(app, person):
    other, before = Person(app, person.email), person.cookie
    other.log_in()

    told = person.call(
        "POST", "/auth/password", {"password": PASSWORD, "new_password": NEW}
    )

    assert other.ask("GET", "/me").status_code == 401
    assert person.cookie != before
    assert person.call("GET", "/me") == told
    assert [each["current"] for each in person.call("GET", "/sessions")["items"]] == [
        True
    ]


def test_it_takes_the_present_password(person):
    answer = change(person, password="wrong horse battery")

    assert answer.status_code == 401
    assert person.ask("GET", "/me").status_code == 200


@pytest.mark.parametrize("new", ["seven77", "x" * 1025, "é" * 513, ""])
def test_only_its_length_is_judged(person, new):
    answer = change(person, new_password=new)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == ["/new_password"]
    assert change(person, new_password="12345678").status_code == 200


def test_it_is_in_the_log_of_the_tenant(person):
    change(person)
    person.log_in(password=NEW)

    [entry] = person.call("GET", "/audit?action=password.change")["items"]

    assert entry["user_id"] == entry["target"] == person.me["user"]["id"]
    assert NEW not in str(entry)
