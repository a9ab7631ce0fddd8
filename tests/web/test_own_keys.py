"""Persons who are no owners make, see and end keys of their own."""

import pytest
from flask import Flask

from app.domain.account import Role
from app.store.protocol import Store
from tests.web import people
from tests.web.conftest import Api
from tests.web.people import Person


@pytest.fixture
def editor(app: Flask, store: Store, api: Api) -> Person:
    """Somebody who is logged in as an editor of the tenant."""
    person = people.owner(app, store)
    people.join(store, person, api, Role.EDITOR)
    there = api.call("GET", "/me")["tenant"]["id"]
    assert person.log_in(tenant_id=there).status_code == 200
    return person


def make(person, *scopes):
    asked = {"name": "Theirs", "scopes": list(scopes)}
    return person.ask("POST", "/api-keys", asked)


def test_a_person_makes_a_key_that_may_do_what_the_person_may(editor, client):
    made = make(editor, "write")

    assert made.status_code == 201
    key = Api(client, made.json["key"])
    assert key.call("GET", "/me")["scopes"] == ["write"]
    assert key.call("GET", "/me")["user"] == editor.me["user"]
    assert key.ask("POST", "/workflows", {}).status_code == 422


def test_and_none_that_may_do_more(editor):
    assert make(editor, "admin").status_code == 403


def test_a_person_sees_and_ends_their_own_and_nobody_elses(editor, api):
    made = make(editor, "read").json
    _, owners = api.call("GET", "/api-keys")["items"]

    assert [each["id"] for each in editor.call("GET", "/api-keys")["items"]] == [
        made["id"]
    ]
    assert editor.ask("DELETE", f"/api-keys/{owners['id']}").status_code == 404
    assert editor.ask("DELETE", f"/api-keys/{made['id']}").status_code == 204
    assert editor.call("GET", "/api-keys")["items"] == []


def test_an_owner_ends_everybodys(editor, api):
    made = make(editor, "read").json

    assert api.ask("DELETE", f"/api-keys/{made['id']}").status_code == 204


def test_a_key_without_admin_makes_sees_and_ends_none(editor, client):
    key = Api(client, make(editor, "write").json["key"])

    assert key.ask("GET", "/api-keys").status_code == 403
    asked = {"name": "Another", "scopes": ["read"]}
    assert key.ask("POST", "/api-keys", asked).status_code == 403
