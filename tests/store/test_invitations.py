from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.account import Role
from app.domain.errors import Conflict, NotFound
from tests.store.company import HOUR, LATER, NOON, invitation, user


def add(company, **changes):
    made = invitation(company.id, company.owner.id, **changes)
    company.store.invitations.add(made)
    return made


def listed(company, *, limit=10, before=None, at=NOON):
    return company.store.invitations.list(company.id, at=at, limit=limit, before=before)


def test_an_invitation_is_found_by_its_secret_until_it_expires(store, company):
    made = add(company)

    assert store.invitations.find(made.token_hash, at=NOON) == made
    assert store.invitations.find(made.token_hash, at=LATER) is None
    assert store.invitations.find(b"another", at=NOON) is None


def test_those_that_can_be_accepted_are_listed_newest_first_and_in_pages(company):
    made = [add(company, expires_at=LATER + HOUR) for _ in range(3)]
    add(company, expires_at=NOON)

    first = listed(company, limit=2)

    assert [*first, *listed(company, limit=2, before=first[-1].id)] == made[::-1]


def test_accepting_makes_a_new_user_a_member_and_uses_it_up(store, company):
    made, person = add(company, role=Role.EDITOR), user("new@example.com")

    joined = store.invitations.accept(made.token_hash, person, at=NOON)

    assert joined.role is Role.EDITOR
    assert joined == store.members.get(company.id, person.id)
    assert store.accounts.user(person.id) == person
    assert listed(company) == []
    with pytest.raises(NotFound, match="used"):
        store.invitations.accept(made.token_hash, user("two@example.com"), at=NOON)


def test_a_known_user_stays_as_he_is(store, company, other):
    made = add(company, email=other.owner.email)

    store.invitations.accept(made.token_hash, other.owner, at=NOON)

    assert store.accounts.user(other.owner.id) == other.owner
    assert store.members.get(company.id, other.owner.id).email == other.owner.email


def test_of_eight_who_accept_at_once_one_gets_in(store, company):
    made = add(company)

    def accept(number):
        person = user(f"{number}@example.com")
        try:
            store.invitations.accept(made.token_hash, person, at=NOON)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        won = list(people.map(accept, range(8)))

    assert won.count(True) == 1
    assert len(store.members.list(company.id, limit=10, before=None)) == 2


@pytest.mark.parametrize(
    ("email", "why"), [("ann@example.com", "taken"), ("ANN@example.com", "taken")]
)
def test_an_address_that_was_taken_meanwhile_lets_nobody_in(
    store, company, other, email, why
):
    first = invitation(other.id, other.owner.id)
    store.invitations.add(first)
    store.invitations.accept(first.token_hash, user("ann@example.com"), at=NOON)
    made, person = add(company, email=email), user(email)

    with pytest.raises(Conflict, match=why):
        store.invitations.accept(made.token_hash, person, at=NOON)

    assert listed(company) == [made]
    with pytest.raises(NotFound):
        store.accounts.user(person.id)


def test_a_member_is_not_invited_again_and_cannot_accept_again(store, company):
    member = company.join()

    with pytest.raises(Conflict, match="address"):
        add(company, email=member.email.upper())
    made = add(company)
    with pytest.raises(Conflict, match="already"):
        store.invitations.accept(made.token_hash, member, at=NOON)
    assert listed(company) == [made]


def test_one_that_is_withdrawn_or_expired_is_not_accepted(store, company):
    withdrawn, expired = add(company), add(company, expires_at=NOON)
    store.invitations.delete(company.id, withdrawn.id)

    for each in (withdrawn, expired):
        with pytest.raises(NotFound, match="expired"):
            store.invitations.accept(each.token_hash, user("a@example.com"), at=NOON)
    with pytest.raises(NotFound):
        store.invitations.delete(company.id, withdrawn.id)


def test_another_tenants_invitation_can_be_neither_listed_nor_withdrawn(
    store, company, other
):
    made = add(company)

    with pytest.raises(NotFound):
        store.invitations.delete(other.id, made.id)

    assert listed(other) == []
    assert listed(company) == [made]


def test_only_a_member_invites(store, company, other):
    with pytest.raises(Conflict, match="inviter"):
        store.invitations.add(invitation(company.id, other.owner.id))


def test_what_has_expired_is_swept(store, company):
    stale = [add(company, expires_at=NOON) for _ in range(3)]
    kept = add(company)

    assert store.invitations.sweep(NOON, limit=2) == 2
    assert store.invitations.sweep(NOON, limit=2) == 1

    assert listed(company, at=NOON - HOUR) == [kept]
    assert stale[0].id != kept.id
