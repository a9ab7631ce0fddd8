from concurrent.futures import ThreadPoolExecutor

import pytest

from app.domain.account import LAST_OWNER, Member, Role, Scope
from app.domain.errors import Conflict, NotFound
from tests.store.company import NOON, api_key, invitation, session, user


def listed(company, *, limit=10, before=None):
    found = company.store.members.list(company.id, limit=limit, before=before)
    return [each.user_id for each in found]


def test_who_registers_is_the_owner_from_then_on(store, company):
    assert store.members.get(company.id, company.owner.id) == Member(
        tenant_id=company.id,
        user_id=company.owner.id,
        email=company.owner.email,
        role=Role.OWNER,
        joined_at=NOON,
    )


def test_members_are_listed_newest_first_and_in_pages(company, other):
    other.join()
    ids = [company.owner.id, company.join().id, company.join().id]

    first = listed(company, limit=2)

    assert [*first, *listed(company, limit=2, before=first[-1])] == ids[::-1]


def test_a_user_may_be_in_several_tenants(store, company, other):
    invited = invitation(other.id, other.owner.id, role=Role.EDITOR)
    store.invitations.add(invited)
    store.invitations.accept(invited.token_hash, company.owner, at=NOON)

    found = store.members.of(company.owner.id)

    assert [(each.tenant_id, each.role) for each in found] == [
        (company.id, Role.OWNER),
        (other.id, Role.EDITOR),
    ]


def test_a_new_role_is_what_keys_and_sessions_tell(store, company):
    member = company.join(Role.EDITOR)
    key = api_key(company.id, member.id, scopes=frozenset({Scope.ADMIN}))
    store.api_keys.add(key)
    login = session(company.id, member.id)
    store.sessions.add(login, password_hash=member.password_hash)

    change = store.members.change(company.id, member.id, Role.OPERATOR)

    changed = change.member
    assert change.was is Role.EDITOR
    assert changed == store.members.get(company.id, member.id)
    assert changed.role is Role.OPERATOR
    assert store.api_keys.find(key.prefix).allowed == {Scope.RUN}
    assert store.sessions.find(login.token_hash, at=NOON).allowed == {Scope.RUN}


def test_the_last_owner_stays_an_owner_and_a_member(store, company):
    company.join(Role.EDITOR)

    for change in (
        lambda: store.members.change(company.id, company.owner.id, Role.EDITOR),
        lambda: store.members.remove(company.id, company.owner.id),
    ):
        with pytest.raises(Conflict) as refused:
            change()
        assert str(refused.value) == LAST_OWNER
    assert store.members.get(company.id, company.owner.id).role is Role.OWNER
    store.members.change(company.id, company.owner.id, Role.OWNER)


def test_one_of_two_owners_may_go(store, company):
    second = company.join(Role.OWNER)

    store.members.remove(company.id, company.owner.id)

    assert listed(company) == [second.id]


@pytest.mark.parametrize("how", ["change", "remove"])
def test_of_two_owners_who_end_each_other_at_once_one_stays(store, company, how):
    both = [company.owner.id, company.join(Role.OWNER).id]

    def end(user_id):
        try:
            if how == "change":
                store.members.change(company.id, user_id, Role.VIEWER)
            else:
                store.members.remove(company.id, user_id)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(end, both)) == [False, True]


def test_who_is_removed_loses_keys_sessions_and_invitations_of_this_tenant(
    store, company, other
):
    member = company.join(Role.OWNER)
    there = invitation(other.id, other.owner.id)
    store.invitations.add(there)
    store.invitations.accept(there.token_hash, member, at=NOON)
    keys = [api_key(tenant, member.id) for tenant in (company.id, other.id)]
    logins = [session(tenant, member.id) for tenant in (company.id, other.id)]
    invited = invitation(company.id, member.id)
    for key, login in zip(keys, logins, strict=True):
        store.api_keys.add(key)
        store.sessions.add(login, password_hash=member.password_hash)
    store.invitations.add(invited)

    store.members.remove(company.id, member.id)

    found = [store.api_keys.find(each.prefix) is not None for each in keys]
    alive = [
        store.sessions.find(each.token_hash, at=NOON) is not None for each in logins
    ]
    assert found == alive == [False, True]
    assert store.invitations.find(invited.token_hash, at=NOON) is None
    with pytest.raises(NotFound):
        store.members.get(company.id, member.id)
    assert store.members.get(other.id, member.id).role is Role.VIEWER
    assert store.accounts.user(member.id) == member


def test_the_invitations_of_who_is_an_owner_no_more_are_withdrawn(store, company):
    member = company.join(Role.OWNER)
    invited = invitation(company.id, member.id, role=Role.OWNER)
    store.invitations.add(invited)

    store.members.change(company.id, member.id, Role.EDITOR)

    assert store.invitations.find(invited.token_hash, at=NOON) is None


def test_another_tenants_member_can_be_neither_seen_nor_changed(store, company, other):
    for call in (
        lambda: store.members.get(other.id, company.owner.id),
        lambda: store.members.change(other.id, company.owner.id, Role.VIEWER),
        lambda: store.members.remove(other.id, company.owner.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert listed(other) == [other.owner.id]


def test_a_removed_member_can_be_let_in_again(store, company):
    member = company.join(Role.EDITOR)
    store.members.remove(company.id, member.id)
    again = invitation(company.id, company.owner.id, email=member.email)
    store.invitations.add(again)

    joined = store.invitations.accept(again.token_hash, member, at=NOON)

    assert joined == store.members.get(company.id, member.id)
    assert joined.role is Role.VIEWER


def test_a_key_is_made_only_for_a_member(store, company):
    with pytest.raises(Conflict, match="member"):
        store.api_keys.add(api_key(company.id, user("nobody@example.com").id))
