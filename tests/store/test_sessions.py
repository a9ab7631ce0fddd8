from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.account import Role
from app.domain.errors import Conflict, NotFound
from app.domain.session import IDLE, LIFE
from tests.store.company import NOON, invitation, session, user

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def log_in(company, **changes):
    made = session(company.id, company.owner.id, **changes)
    company.store.sessions.add(made, password_hash=company.owner.password_hash)
    return made


def ids(company, *, at=NOON, limit=10, before=None):
    found = company.store.sessions.list(
        company.owner.id, at=at, limit=limit, before=before
    )
    return [each.id for each in found]


def test_a_session_is_found_by_its_secret(store, company):
    made = log_in(company)

    assert store.sessions.find(made.token_hash, at=NOON) == made
    assert store.sessions.find(b"another", at=NOON) is None


def test_one_that_nobody_uses_expires(store, company):
    made = log_in(company)

    assert store.sessions.find(made.token_hash, at=NOON + IDLE - SECOND) == made
    assert store.sessions.find(made.token_hash, at=NOON + IDLE) is None
    assert ids(company, at=NOON + IDLE) == []


def test_use_is_written_once_a_minute_and_keeps_it_alive(store, company):
    made = log_in(company)

    store.sessions.use(made, at=NOON + SECOND).result(timeout=5)
    early = store.sessions.find(made.token_hash, at=NOON)
    store.sessions.use(made, at=NOON + MINUTE).result(timeout=5)
    late = store.sessions.find(made.token_hash, at=NOON + IDLE)

    assert early.used_at == NOON
    assert late == replace(made, used_at=NOON + MINUTE)


def test_no_use_keeps_one_alive_beyond_its_life(store, company):
    made = log_in(company)

    store.sessions.use(made, at=NOON + LIFE - SECOND).result(timeout=5)

    assert store.sessions.find(made.token_hash, at=NOON + LIFE - SECOND) is not None
    assert store.sessions.find(made.token_hash, at=NOON + LIFE) is None


def test_sessions_are_listed_newest_first_and_in_pages(company):
    made = [log_in(company).id for _ in range(3)]

    first = ids(company, limit=2)

    assert [*first, *ids(company, limit=2, before=first[-1])] == made[::-1]


def test_none_begins_with_a_password_that_was_changed_meanwhile(store, company):
    made = session(company.id, company.owner.id)

    with pytest.raises(Conflict, match="changed"):
        store.sessions.add(made, password_hash="the one before")

    assert ids(company) == []


def test_none_begins_where_the_user_is_no_member(store, company, other):
    made = session(other.id, company.owner.id)

    with pytest.raises(Conflict, match="member"):
        store.sessions.add(made, password_hash=company.owner.password_hash)


def test_another_takes_the_place_of_one(store, company, other):
    invited = invitation(other.id, other.owner.id, role=Role.VIEWER)
    store.invitations.add(invited)
    store.invitations.accept(invited.token_hash, company.owner, at=NOON)
    old = log_in(company)
    new = session(other.id, company.owner.id, role=Role.VIEWER)

    store.sessions.replace(old, new)

    assert store.sessions.find(old.token_hash, at=NOON) is None
    assert store.sessions.find(new.token_hash, at=NOON) == new
    with pytest.raises(NotFound):
        store.sessions.replace(old, session(company.id, company.owner.id))


def test_one_that_cannot_be_replaced_stays(store, company, other):
    old = log_in(company)

    with pytest.raises(Conflict):
        store.sessions.replace(old, session(other.id, company.owner.id))

    assert ids(company) == [old.id]


def test_a_session_ends_once(store, company):
    made = log_in(company)

    store.sessions.end(company.owner.id, made.id)

    assert store.sessions.find(made.token_hash, at=NOON) is None
    with pytest.raises(NotFound):
        store.sessions.end(company.owner.id, made.id)


def test_all_others_end_and_nobody_elses(store, company, other):
    _, kept, _ = (log_in(company) for _ in range(3))
    theirs = log_in(other)

    assert store.sessions.end_others(company.owner.id, but=kept.id) == 2

    assert ids(company) == [kept.id]
    assert ids(other) == [theirs.id]


def test_another_users_session_can_be_neither_listed_nor_ended(store, company, other):
    made = log_in(company)

    with pytest.raises(NotFound):
        store.sessions.end(other.owner.id, made.id)

    assert ids(other) == []
    assert ids(company) == [made.id]


def test_what_has_expired_is_swept(store, company):
    stale = [log_in(company) for _ in range(3)]
    kept = log_in(company, used_at=NOON + SECOND)

    assert store.sessions.sweep(NOON + IDLE, limit=2) == 2
    assert store.sessions.sweep(NOON + IDLE, limit=2) == 1

    assert ids(company) == [kept.id]
    assert stale[0].id != kept.id


def test_a_new_password_ends_every_session_but_the_one_that_set_it(store, company):
    for _ in range(2):
        log_in(company)
    new = session(company.id, company.owner.id)

    store.accounts.change_password(
        company.owner.id, "new", was=company.owner.password_hash, session=new
    )

    assert ids(company) == [new.id]
    assert store.accounts.user(company.owner.id).password_hash == "new"


def test_a_new_password_without_a_session_ends_every_session(store, company):
    log_in(company)

    store.accounts.change_password(company.owner.id, "new")

    assert ids(company) == []


def test_of_two_who_change_a_password_the_second_is_told(store, company):
    was, made = company.owner.password_hash, log_in(company)
    store.accounts.rehash(company.owner.id, "same, made better", was=was)

    with pytest.raises(Conflict, match="changed"):
        store.accounts.change_password(company.owner.id, "new", was=was)
    store.accounts.rehash(company.owner.id, "too late", was=was)

    assert store.accounts.user(company.owner.id).password_hash == "same, made better"
    assert ids(company) == [made.id]


def test_a_user_is_found_by_the_address_whatever_its_case(store, company):
    assert store.accounts.by_email(company.owner.email.upper()) == company.owner
    assert store.accounts.by_email("nobody@example.com") is None


def test_the_password_of_nobody_cannot_be_changed(store):
    with pytest.raises(NotFound):
        store.accounts.change_password(user("a@example.com").id, "new")
