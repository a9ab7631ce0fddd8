"""What cannot be stored in every database is refused, and finds nothing."""

from dataclasses import replace

import pytest

from app.domain.errors import Invalid, NotFound, ServiceError
from app.domain.execution import Failure, Status, StepStatus
from app.store.protocol import ExecutionFilter
from tests.store.company import (
    LATER,
    NOON,
    api_key,
    payload,
    step,
    tenant,
    user,
    version,
    workflow,
)

ODD = {"nul": "a\0b", "half a pair": "a\ud800b"}
FINE = ["héllo wörld", "日本語", "🐟🌊", "e\u0301", "\u202eright to left", " ", "'; --"]

odd = pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())


@pytest.mark.parametrize("text", FINE)
def test_any_other_text_comes_back_as_it_was(store, company, text):
    named = company.another(name=text)
    keyed = company.accept(workflow_id=named.id, workflow_name=text, key=text)

    assert store.workflows.get(company.id, named.id).workflow == named
    assert company.now(keyed) == keyed
    found = company.executions.list(
        company.id, ExecutionFilter(q=text), limit=10, before=None
    )
    assert keyed in found


@odd
def test_an_odd_name_is_refused_with_the_reason(store, company, text):
    new = tenant(text)
    odd_key = api_key(company.id, company.owner.id, name=text)
    renamed = {"name": text, "at": LATER}

    with pytest.raises(Invalid, match="tenant"):
        store.accounts.register(new, company.owner, company.key, only_first=False)
    with pytest.raises(Invalid, match="address"):
        store.accounts.register(tenant(), user(text), company.key, only_first=False)
    with pytest.raises(Invalid, match="key"):
        store.accounts.register(tenant(), user("b@c"), odd_key, only_first=False)
    with pytest.raises(Invalid, match="key"):
        store.api_keys.add(odd_key)
    with pytest.raises(Invalid, match="name"):
        company.another(name=text)
    with pytest.raises(Invalid, match="name"):
        store.workflows.change(
            company.id, company.workflow.id, is_active=None, **renamed
        )
    with pytest.raises(Invalid, match="name"):
        store.workflows.publish(
            company.id, company.workflow.id, definition={}, author_id="x", **renamed
        )
    with pytest.raises(Invalid, match="key"):
        company.executions.add(company.execution(key=text), payload())

    assert store.workflows.get(company.id, company.workflow.id).version.number == 1


@odd
def test_an_odd_id_finds_nothing(store, company, text):
    executions = company.executions
    for find in (
        lambda: store.accounts.tenant(text),
        lambda: store.accounts.user(text),
        lambda: store.members.get(company.id, text),
        lambda: store.workflows.get(company.id, text),
        lambda: store.workflows.version(company.id, text, 1),
        lambda: executions.get(company.id, text),
        lambda: executions.payload(text, text),
    ):
        with pytest.raises(NotFound):
            find()
    assert store.api_keys.find(text) is None
    assert store.workflows.by_token(text) is None
    assert executions.steps(company.id, text) == []
    assert executions.outline(company.id, text) == []
    assert executions.outputs(company.id, text, [text]) == {}
    assert store.workflows.list(text, limit=1, before=None) == []
    assert store.ledger.balance(text).door == {}


@odd
def test_a_change_of_an_odd_id_is_an_error_on_purpose(store, company, text):
    for change in (
        lambda: store.workflows.delete(company.id, text, at=NOON),
        lambda: store.api_keys.revoke(company.id, text, at=NOON),
        lambda: company.executions.cancel(company.id, text, at=NOON),
        lambda: company.executions.add(
            company.execution(workflow_id=text), payload()
        ).result(timeout=5),
    ):
        with pytest.raises(ServiceError):
            change()

    assert company.accept()


@odd
def test_odd_text_in_a_filter_finds_nothing(company, text):
    company.accept()

    for wanted in (ExecutionFilter(q=text), ExecutionFilter(workflow_id=text)):
        assert not company.executions.list(company.id, wanted, limit=9, before=None)


@odd
def test_a_message_is_cleaned_so_that_a_failure_can_always_be_recorded(company, text):
    held = company.run()
    failure = Failure("http-status", f"the server said {text}", "a")
    failed = step("a", status=StepStatus.FAILED, error=failure)

    assert company.finish(held, steps=[failed], status=Status.FAILED, error=failure)

    cleaned = replace(failure, message=company.now(held).error.message)
    assert cleaned.message.startswith("the server said a")
    assert text not in cleaned.message
    assert company.now(held).error == cleaned
    assert company.executions.steps(company.id, held.id)[0].error == cleaned


def test_a_nul_inside_json_comes_back(store, company):
    named = workflow(company.id, name="nul")
    published = version(named, definition={"vars": {"a": "x\0y"}})
    execution, came_in = company.execution(), payload(query={"q": "\0"}, path="a\0")

    store.workflows.add(named, published)
    company.executions.add(execution, came_in).result(timeout=5)

    assert store.workflows.version(company.id, named.id, 1) == published
    assert company.executions.payload(company.id, execution.id) == came_in


def test_half_a_pair_inside_json_is_refused(store, company):
    named = workflow(company.id, name="half")
    broken = version(named, definition={"vars": {"a": "\ud800"}})

    with pytest.raises(Invalid, match="definition"):
        store.workflows.add(named, broken)
    with pytest.raises(Invalid, match="request"):
        company.executions.add(company.execution(), payload(path="\ud800"))

    with pytest.raises(NotFound):
        store.workflows.get(company.id, named.id)
