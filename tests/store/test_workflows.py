from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.errors import Conflict, NotFound, TooManyWorkflows
from app.domain.workflow import Published
from tests.store.company import LATER, NOON, token, version, workflow

BIG = 2**80 + 1
DEFINITION = {"steps": [{"id": "b", "with": {"value": [1.5, None, "é", BIG]}}]}


def publish(company, *, name=None, definition=DEFINITION):
    return company.store.workflows.publish(
        company.id,
        company.workflow.id,
        definition=definition,
        name=name,
        author_id=company.owner.id,
        at=LATER,
    )


def change(company, *, name=None, is_active=None, workflow_id=None):
    return company.store.workflows.change(
        company.id,
        workflow_id or company.workflow.id,
        name=name,
        is_active=is_active,
        at=LATER,
    )


def rotate(company, text, *, until):
    return company.store.workflows.rotate(
        company.id, company.workflow.id, token=token(text), until=until, at=LATER
    )


def listed(company, *, limit=10, before=None):
    return company.store.workflows.list(company.id, limit=limit, before=before)


def numbers(company, *, limit=10, before=None):
    found = company.store.workflows.versions(
        company.id, company.workflow.id, limit=limit, before=before
    )
    return [each.number for each in found]


def test_a_workflow_is_read_back_as_it_was_added(store, company):
    read = store.workflows.get(company.id, company.workflow.id)

    assert read == Published(company.workflow, company.version)


def test_what_a_caller_does_to_a_definition_later_changes_nothing(store, company):
    definition: dict[str, list[str]] = {"steps": []}
    added = workflow(company.id, name="mutable")
    store.workflows.add(added, version(added, definition=definition))

    definition["steps"].append("surprise")

    assert store.workflows.version(company.id, added.id, 1).definition == {"steps": []}


def test_a_token_leads_to_the_workflow_active_or_not(store, company):
    change(company, is_active=False)

    found = store.workflows.by_token(company.workflow.id)

    assert found == store.workflows.get(company.id, company.workflow.id)
    assert not found.workflow.is_active
    assert store.workflows.by_token("no such token") is None


def test_a_rotated_token_counts_until_its_time_is_over(store, company):
    soon = times.now() + timedelta(seconds=30)

    once = rotate(company, "second", until=soon)
    assert once == store.workflows.get(company.id, company.workflow.id)
    assert once.workflow.token == token("second")
    assert once.workflow.updated_at == LATER
    rotate(company, "third", until=NOON)

    assert store.workflows.by_token("third") is not None
    assert store.workflows.by_token("second") is None
    assert store.workflows.by_token(company.workflow.id) is not None


def test_a_token_that_is_over_is_not_kept(store, company):
    for text in ("second", "third", "fourth"):
        rotate(company, text, until=NOON)

    assert store.workflows.by_token("fourth") is not None
    for text in (company.workflow.id, "second", "third"):
        assert store.workflows.by_token(text) is None


def test_a_rotated_token_leads_to_no_deleted_workflow(store, company):
    rotate(company, "second", until=times.now() + timedelta(seconds=30))

    store.workflows.delete(company.id, company.workflow.id, at=LATER)

    assert store.workflows.by_token(company.workflow.id) is None
    with pytest.raises(NotFound):
        rotate(company, "third", until=NOON)


def test_only_a_tenants_own_workflows_tokens_are_rotated(store, company, other):
    with pytest.raises(NotFound):
        store.workflows.rotate(
            other.id, company.workflow.id, token=token("x"), until=NOON, at=LATER
        )

    assert store.workflows.by_token("x") is None


def test_publishing_adds_a_version_and_makes_it_current(store, company):
    edited = publish(company, name="Renamed")

    published = edited.after
    assert edited.before == company.workflow
    assert published == store.workflows.get(company.id, company.workflow.id)
    assert (published.workflow.name, published.workflow.version) == ("Renamed", 2)
    assert published.workflow.updated_at == LATER
    assert published.workflow.created_at == NOON
    assert published.version.definition == DEFINITION
    assert published.version.author_id == company.owner.id
    assert store.workflows.version(company.id, company.workflow.id, 1) == (
        company.version
    )


def test_publishing_without_a_name_keeps_it(company):
    assert publish(company).after.workflow.name == company.workflow.name


def test_eight_simultaneous_publications_get_consecutive_versions(company):
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: publish(company), range(8)))

    now = [each.after.version.number for each in done]
    assert sorted(now) == list(range(2, 10))
    assert [each.after.workflow.version for each in done] == now
    assert [each.before.version + 1 for each in done] == now
    assert numbers(company) == list(range(9, 0, -1))


def test_versions_come_newest_first_and_in_pages(company):
    publish(company)
    publish(company)

    assert numbers(company, limit=2) == [3, 2]
    assert numbers(company, limit=2, before=2) == [1]


def test_a_change_touches_only_what_it_names(store, company):
    edited = change(company, is_active=False)

    changed = edited.after
    assert edited.before == company.workflow
    assert not changed.workflow.is_active
    assert changed.workflow.name == company.workflow.name
    assert changed.version == company.version

    renamed = change(company, name="Renamed").after

    assert not renamed.workflow.is_active
    assert renamed.workflow.name == "Renamed"


def test_a_name_is_taken_once_in_a_tenant(store, company, other):
    second = company.another(name="Second")

    with pytest.raises(Conflict, match="another name"):
        company.another(name=company.workflow.name)
    with pytest.raises(Conflict):
        change(company, name=company.workflow.name, workflow_id=second.id)
    with pytest.raises(Conflict):
        publish(company, name="Second")

    assert numbers(company) == [1]
    assert other.workflow.name == company.workflow.name


def test_a_workflow_may_keep_its_own_name(company):
    edited = change(company, name=company.workflow.name)

    assert edited.after.workflow.name == company.workflow.name


def test_a_deleted_workflow_is_hidden_and_its_name_is_free(store, company):
    store.workflows.delete(company.id, company.workflow.id, at=LATER)

    with pytest.raises(NotFound):
        store.workflows.get(company.id, company.workflow.id)
    with pytest.raises(NotFound):
        store.workflows.delete(company.id, company.workflow.id, at=LATER)
    with pytest.raises(NotFound):
        publish(company)
    with pytest.raises(NotFound):
        change(company, is_active=False)
    with pytest.raises(NotFound):
        numbers(company)
    assert store.workflows.by_token(company.workflow.id) is None
    assert listed(company) == []
    assert company.another(name=company.workflow.name) in listed(company)


def test_accepted_work_of_a_deleted_workflow_still_finds_its_version(store, company):
    execution = company.accept()
    store.workflows.delete(company.id, company.workflow.id, at=LATER)

    assert store.workflows.version(company.id, company.workflow.id, 1) == (
        company.version
    )
    assert company.now(execution) == execution


def test_workflows_are_listed_newest_first_and_in_pages(company):
    added = [company.workflow, company.another(name="B"), company.another(name="C")]

    first = listed(company, limit=2)
    rest = listed(company, limit=2, before=first[-1].id)

    assert [*first, *rest] == added[::-1]


def test_an_unknown_workflow_is_not_found(store, company):
    with pytest.raises(NotFound):
        store.workflows.get(company.id, "wf_none")
    with pytest.raises(NotFound):
        store.workflows.version(company.id, company.workflow.id, 2)
    with pytest.raises(NotFound):
        store.workflows.versions(company.id, "wf_none", limit=1, before=None)


def test_another_tenants_workflow_is_not_found(store, company, other):
    theirs = company.workflow.id
    with pytest.raises(NotFound):
        store.workflows.get(other.id, theirs)
    with pytest.raises(NotFound):
        store.workflows.version(other.id, theirs, 1)
    with pytest.raises(NotFound):
        store.workflows.versions(other.id, theirs, limit=1, before=None)
    with pytest.raises(NotFound):
        change(other, name="Stolen", workflow_id=theirs)
    with pytest.raises(NotFound):
        store.workflows.delete(other.id, theirs, at=LATER)
    with pytest.raises(NotFound):
        store.workflows.publish(
            other.id, theirs, definition={}, name=None, author_id="x", at=LATER
        )

    assert listed(other) == [other.workflow]
    assert store.workflows.get(company.id, theirs).workflow == company.workflow


def test_a_tenant_has_as_many_workflows_as_it_may(store, company, other):
    def add(of, name, *, most=3):
        added = workflow(of.id, name=name)
        store.workflows.add(added, version(added), most=most)
        return added

    second = add(company, "b")
    add(company, "c")

    with pytest.raises(TooManyWorkflows, match=r"has 3 .* SLUICE_MAX_WORKFLOWS"):
        add(company, "d")

    assert len(listed(company)) == 3
    add(other, "b")
    store.workflows.delete(company.id, second.id, at=LATER)
    add(company, "d")
    with pytest.raises(TooManyWorkflows):
        add(company, "e", most=2)
    add(company, "e", most=4)


def test_racing_additions_are_let_in_up_to_the_limit(store, company):
    def add(n: int) -> bool:
        added = workflow(company.id, name=f"W{n}")
        try:
            store.workflows.add(added, version(added), most=6)
        except TooManyWorkflows:
            return False
        return True

    with ThreadPoolExecutor(8) as workers:
        won = list(workers.map(add, range(16)))

    assert won.count(True) == 5
    assert len(listed(company, limit=20)) == 6
