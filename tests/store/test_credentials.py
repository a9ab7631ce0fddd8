from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.domain.errors import Conflict, CredentialMissing, Invalid, NotFound
from tests.store.company import LATER, credential, version, workflow


def needs(name):
    """A definition that names a credential."""
    verify = {"scheme": "github", "secret": {"credential": name}}
    return {"trigger": {"type": "webhook", "verify": verify}, "steps": []}


def publish(company, definition, *credentials):
    return company.store.workflows.publish(
        company.id,
        company.workflow.id,
        definition=definition,
        name=None,
        author_id=company.owner.id,
        at=LATER,
        credentials=credentials,
    )


def rename(company, found, name):
    return company.store.credentials.replace(
        company.id, found.id, name=name, sealed=found.sealed, at=LATER
    )


@pytest.fixture
def kept(store, company):
    """A credential that nothing names yet."""
    added = credential(company.id)
    store.credentials.add(added)
    return added


def test_a_credential_is_read_back_as_it_was_added(store, company, kept):
    assert store.credentials.get(company.id, kept.id) == kept
    assert store.credentials.by_name(company.id, "github-hook") == kept


def test_a_name_is_taken_once_in_a_tenant(store, company, other, kept):
    with pytest.raises(Conflict, match="`github-hook` exists"):
        store.credentials.add(credential(company.id))

    store.credentials.add(credential(other.id))
    assert store.credentials.by_name(company.id, "github-hook") == kept


def test_another_tenants_credentials_are_not_found(store, company, other, kept):
    for look in (
        lambda: store.credentials.get(other.id, kept.id),
        lambda: store.credentials.by_name(other.id, kept.name),
        lambda: store.credentials.delete(other.id, kept.id),
        lambda: rename(other, kept, "mine"),
    ):
        with pytest.raises(NotFound):
            look()

    assert store.credentials.list(other.id, limit=10, before=None) == []
    assert store.credentials.get(company.id, kept.id) == kept


def test_pages_go_from_the_newest_to_the_oldest(store, company):
    added = [credential(company.id, name=f"c{n}") for n in range(4)]
    for each in added:
        store.credentials.add(each)

    first = store.credentials.list(company.id, limit=3, before=None)
    rest = store.credentials.list(company.id, limit=3, before=first[-1].id)

    assert [*first, *rest] == added[::-1]


def test_a_credential_gets_other_fields_and_another_name(store, company, kept):
    changed = store.credentials.replace(
        company.id, kept.id, name="renamed", sealed={"value": b"other"}, at=LATER
    )

    assert changed == store.credentials.get(company.id, kept.id)
    assert changed == replace(
        kept, name="renamed", sealed={"value": b"other"}, updated_at=LATER
    )


def test_a_credential_cannot_take_the_name_of_another(store, company, kept):
    second = credential(company.id, name="second")
    store.credentials.add(second)

    with pytest.raises(Conflict):
        rename(company, second, kept.name)

    assert rename(company, second, "second").name == "second"


def test_a_deleted_credential_is_gone_and_its_name_free(store, company, kept):
    store.credentials.delete(company.id, kept.id)

    with pytest.raises(NotFound):
        store.credentials.get(company.id, kept.id)
    with pytest.raises(NotFound):
        store.credentials.delete(company.id, kept.id)
    store.credentials.add(credential(company.id))


def test_what_a_current_version_names_stays_under_its_name(store, company, kept):
    publish(company, needs(kept.name))

    with pytest.raises(Conflict, match="`Order alerts` uses"):
        store.credentials.delete(company.id, kept.id)
    with pytest.raises(Conflict, match="`Order alerts` uses"):
        rename(company, kept, "renamed")
    store.credentials.replace(
        company.id, kept.id, name=kept.name, sealed={"value": b"new"}, at=LATER
    )


def test_what_only_an_old_version_names_may_go(store, company, kept):
    publish(company, needs(kept.name))
    publish(company, {"steps": []})

    store.credentials.delete(company.id, kept.id)

    with pytest.raises(NotFound):
        store.credentials.get(company.id, kept.id)


def test_what_a_deleted_workflow_named_may_go(store, company, kept):
    publish(company, needs(kept.name))
    store.workflows.delete(company.id, company.workflow.id, at=LATER)

    assert store.credentials.get(company.id, kept.id) == kept
    store.credentials.delete(company.id, kept.id)

    with pytest.raises(NotFound):
        store.credentials.get(company.id, kept.id)


def test_a_version_brings_the_credentials_that_were_written_into_it(store, company):
    brought = credential(company.id, workflow_id=company.workflow.id)

    publish(company, needs(brought.name), brought)

    assert store.credentials.owned(company.id, company.workflow.id) == [brought]
    with pytest.raises(Conflict):
        store.credentials.delete(company.id, brought.id)


def test_a_new_workflow_brings_its_credentials_too(store, company):
    added = workflow(company.id, name="New")
    brought = credential(company.id, workflow_id=added.id)

    store.workflows.add(
        added, version(added, definition=needs(brought.name)), credentials=[brought]
    )

    assert store.credentials.owned(company.id, added.id) == [brought]
    assert store.credentials.owned(company.id, company.workflow.id) == []


def activate(company, workflow, *, is_active=True):
    return company.store.workflows.change(
        company.id, workflow.id, name=None, is_active=is_active, at=LATER
    )


def test_an_active_workflow_gets_no_version_that_names_nothing_known(store, company):
    with pytest.raises(CredentialMissing, match="no credential `gone`"):
        publish(company, needs("gone"))

    assert store.workflows.get(company.id, company.workflow.id).version.number == 1


def test_no_new_workflow_is_active_that_names_nothing_known(store, company):
    added = workflow(company.id, name="New")

    with pytest.raises(CredentialMissing, match="no credential `gone`"):
        store.workflows.add(added, version(added, definition=needs("gone")))

    with pytest.raises(NotFound):
        store.workflows.get(company.id, added.id)


@pytest.fixture
def inactive(store, company):
    """A workflow that is saved although its credential does not exist."""
    added = workflow(company.id, name="New", is_active=False)
    store.workflows.add(added, version(added, definition=needs("github-hook")))
    return added


def test_an_inactive_workflow_waits_for_its_credential(store, company, inactive):
    with pytest.raises(CredentialMissing, match="no credential `github-hook`"):
        activate(company, inactive)
    assert not store.workflows.get(company.id, inactive.id).workflow.is_active

    store.credentials.add(credential(company.id))

    assert activate(company, inactive).after.workflow.is_active
    assert store.workflows.get(company.id, inactive.id).version.number == 1


def test_another_tenants_credential_is_not_what_it_waits_for(
    store, company, other, inactive
):
    store.credentials.add(credential(other.id))

    with pytest.raises(CredentialMissing):
        activate(company, inactive)


def test_a_refused_activation_changes_nothing(store, company, inactive):
    before = store.workflows.get(company.id, inactive.id)

    with pytest.raises(CredentialMissing):
        store.workflows.change(
            company.id, inactive.id, name="Other", is_active=True, at=LATER
        )

    assert store.workflows.get(company.id, inactive.id) == before


def test_what_it_waited_for_stays_once_it_is_active(store, company, inactive, kept):
    store.credentials.delete(company.id, kept.id)  # nothing needs it yet
    store.credentials.add(again := credential(company.id))
    activate(company, inactive)
    activate(company, inactive, is_active=False)

    with pytest.raises(Conflict, match="`New` uses"):
        store.credentials.delete(company.id, again.id)
    with pytest.raises(Conflict, match="`New` uses"):
        rename(company, again, "renamed")


def test_an_inactive_workflow_gets_versions_whatever_they_name(
    store, company, inactive
):
    store.workflows.publish(
        company.id,
        inactive.id,
        definition=needs("gone"),
        name=None,
        author_id=company.owner.id,
        at=LATER,
    )

    assert store.workflows.get(company.id, inactive.id).version.number == 2
    store.credentials.add(credential(company.id))
    with pytest.raises(CredentialMissing, match="no credential `gone`"):
        activate(company, inactive)


def test_of_racing_activations_and_deletions_none_loses_what_is_needed(store, company):
    added = [credential(company.id, name=f"c{n}") for n in range(8)]
    waiting = [workflow(company.id, name=each.name, is_active=False) for each in added]
    for one, each in zip(waiting, added, strict=True):
        store.workflows.add(one, version(one, definition=needs(each.name)))
        store.credentials.add(each)

    def refused(change) -> bool:
        try:
            change()
        except Conflict:
            return True
        return False

    with ThreadPoolExecutor(8) as threads:
        activated = threads.map(
            lambda one: refused(lambda: activate(company, one)), waiting
        )
        deleted = threads.map(
            lambda each: refused(lambda: store.credentials.delete(company.id, each.id)),
            added,
        )
        outcomes = list(zip(activated, deleted, strict=True))

    for one, each, (kept_closed, kept_there) in zip(
        waiting, added, outcomes, strict=True
    ):
        assert kept_closed != kept_there
        now = store.workflows.get(company.id, one.id).workflow
        assert now.is_active is kept_there
        names = store.credentials.list(company.id, limit=20, before=None)
        assert (each.id in {it.id for it in names}) is kept_there


def test_a_version_whose_credential_has_a_taken_name_is_not_saved(store, company, kept):
    brought = credential(company.id, workflow_id=company.workflow.id)
    added = workflow(company.id, name="New")

    with pytest.raises(Conflict):
        publish(company, needs(kept.name), brought)
    with pytest.raises(Conflict):
        store.workflows.add(added, version(added), credentials=[brought])

    assert store.credentials.owned(company.id, company.workflow.id) == []
    assert store.workflows.get(company.id, company.workflow.id).version.number == 1
    with pytest.raises(NotFound):
        store.workflows.get(company.id, added.id)


def test_a_version_cannot_name_another_tenants_credential(store, company, other):
    store.credentials.add(credential(other.id))

    with pytest.raises(Conflict):
        publish(company, needs("github-hook"))


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_cannot_be_stored_is_refused_and_finds_nothing(
    store, company, name
):
    with pytest.raises(Invalid):
        store.credentials.add(credential(company.id, name=name))
    with pytest.raises((Invalid, Conflict)):
        publish(company, needs(name))
    with pytest.raises(NotFound):
        store.credentials.by_name(company.id, name)


def test_of_racing_saves_and_deletions_none_loses_what_is_needed(store, company):
    added = [credential(company.id, name=f"c{n}") for n in range(8)]
    for each in added:
        store.credentials.add(each)

    def delete(each) -> bool:
        try:
            store.credentials.delete(company.id, each.id)
        except Conflict:
            return False
        return True

    def use(each) -> bool:
        one = workflow(company.id, name=each.name)
        saved = version(one, definition=needs(each.name))
        try:
            store.workflows.add(one, saved)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        used = threads.map(use, added)
        deleted = threads.map(delete, added)
        assert [one != two for one, two in zip(used, deleted, strict=True)] == [
            True
        ] * 8
