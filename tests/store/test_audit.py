from dataclasses import replace

import pytest

from app.domain import ids
from app.domain.account import Scope
from app.domain.audit import Action, Actor, Change, Deed, Source
from app.domain.errors import Conflict, Invalid, NotFound, StoreUnavailable
from app.store.protocol import AuditFilter
from tests.store.company import LATER, NOON, api_key, credential, payload

RENAME = Deed(Action.WORKFLOW_RENAME, "wf_1", {"name": Change("Old", "New")})
EVERYTHING = AuditFilter()
USER = ids.new("user")


def actor(company, **changes) -> Actor:
    first = Actor(
        tenant_id=company.id,
        user_id=company.owner.id,
        via=company.key.id,
        source=Source("2001:db8::1", "deploy-7"),
    )
    return replace(first, **changes)


def entry(company, deed=RENAME, **changes):
    return replace(actor(company).did(deed), **{"at": NOON, **changes})


def add(company, *args, **changes):
    made = entry(company, *args, **changes)
    company.store.audit.add(made).result(timeout=5)
    return made


def log(company, wanted=EVERYTHING, *, limit=10, before=None):
    return company.store.audit.list(company.id, wanted, limit=limit, before=before)


def noting(company, deed=RENAME):
    return company.store.noting(lambda _: [entry(company, deed)])


def deeds(company):
    return [each.deed for each in log(company)]


def test_an_entry_is_read_back_as_it_was_added(company):
    odd = {"name": Change("é🐟\0", None), "n": Change(2**70, [1.5, {"a": None}])}
    first = add(company, Deed("thing.made", "thing_1", odd))
    second = add(company, user_id=None, via=None, source=Source())

    assert log(company) == [second, first]


def test_entries_come_newest_first_and_in_pages(company):
    made = [add(company) for _ in range(5)]

    first = log(company, limit=2)
    rest = log(company, limit=9, before=first[-1].id)

    assert [*first, *rest] == made[::-1]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ({"action": Action.KEY_REVOKE}, "b"),
        ({"actor": USER}, "b"),
        ({"actor": "key_3"}, "c"),
        ({"target": "wf_1"}, "ac"),
        ({"since": LATER}, "c"),
        ({"until": LATER}, "ab"),
        ({"since": NOON, "until": LATER, "target": "key_9"}, "b"),
        ({"actor": "key_3", "target": "key_9"}, ""),
        ({"target": "a\0b"}, ""),
        ({"actor": "a\ud800b"}, ""),
    ],
)
def test_a_filter_shows_what_fits_all_of_it(company, wanted, shown):
    made = {
        "a": add(company),
        "b": add(company, Deed(Action.KEY_REVOKE, "key_9"), user_id=USER),
        "c": add(company, via="key_3", at=LATER),
    }

    found = log(company, AuditFilter(**wanted))

    assert found == [made[each] for each in reversed(shown)]


def test_another_tenant_sees_nothing_of_it(company, other):
    add(company)

    assert log(other) == []
    assert log(other, AuditFilter(target=RENAME.target)) == []


def test_what_json_has_no_value_for_is_refused(company):
    with pytest.raises(Invalid, match="what changed"):
        add(company, Deed("thing.made", "t", {"n": Change(None, object())}))
    with pytest.raises(Invalid, match="what changed"):
        add(company, Deed("thing.made", "t", {"n": Change(None, "a\ud800b")}))

    assert log(company) == []


def test_a_noted_change_returns_what_it_does_otherwise_and_tells_the_log(company):
    told = company.store.noting(
        lambda edited: [
            entry(company, Deed("a", edited.before.name)),
            entry(company, Deed("b", edited.after.workflow.name)),
        ]
    )

    edited = told.workflows.change(
        company.id, company.workflow.id, name="New", is_active=None, at=LATER
    )

    assert edited.before == company.workflow
    assert edited.after == company.store.workflows.get(company.id, company.workflow.id)
    assert edited.after.workflow.name == "New"
    assert {each.target for each in deeds(company)} == {"Order alerts", "New"}


def test_a_change_of_which_there_is_nothing_to_tell_leaves_no_entry(company):
    told = company.store.noting(lambda _: [])

    told.credentials.add(credential(company.id))

    assert log(company) == []
    assert company.store.credentials.by_name(company.id, "github-hook")


def test_a_change_that_is_refused_leaves_no_entry(store, company):
    store.credentials.add(credential(company.id))
    told = noting(company)

    for change, why in (
        (lambda: told.credentials.add(credential(company.id)), Conflict),
        (lambda: told.workflows.delete(company.id, "wf_none", at=NOON), NotFound),
        (lambda: told.api_keys.revoke(company.id, "key_none", at=NOON), NotFound),
        (lambda: told.executions.cancel(company.id, "exec_none", at=NOON), NotFound),
    ):
        with pytest.raises(why):
            change()

    assert log(company) == []


def test_a_closed_store_takes_neither_the_change_nor_the_entry(store, company):
    told = noting(company)
    store.close()

    with pytest.raises(StoreUnavailable):
        told.credentials.add(credential(company.id))


def test_reading_is_not_noted(company):
    told = noting(company)

    assert told.workflows.get(company.id, company.workflow.id).version.number == 1
    assert told.api_keys.find(company.key.prefix) == company.key
    assert told.audit.list(company.id, EVERYTHING, limit=1, before=None) == []
    assert log(company) == []


def test_what_shares_its_transaction_with_others_cannot_be_noted(company):
    with pytest.raises(TypeError, match="future"):
        noting(company).executions.add(company.execution(), payload())

    assert log(company) == []


def test_a_cancel_is_noted_with_the_execution_afterwards(company):
    execution = company.accept()
    told = company.store.noting(
        lambda after: [entry(company, Deed("cancel", after.status))]
    )

    told.executions.cancel(company.id, execution.id, at=LATER)

    assert [each.target for each in deeds(company)] == ["cancelled"]


def test_what_ends_is_returned_as_it_was(store, company):
    key = api_key(company.id, company.owner.id, scopes=frozenset({Scope.READ}))
    store.api_keys.add(key)
    kept = credential(company.id)
    store.credentials.add(kept)

    assert store.api_keys.revoke(company.id, key.id, at=LATER) == key
    assert store.api_keys.revoke(company.id, key.id, at=LATER) is None
    assert store.credentials.delete(company.id, kept.id) == kept
    deleted = store.workflows.delete(company.id, company.workflow.id, at=LATER)
    assert deleted == company.workflow


def test_nothing_changes_or_deletes_an_entry(store):
    methods = {name for name in dir(store.audit) if not name.startswith("_")}

    assert methods == {"add", "list"}
