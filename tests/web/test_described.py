"""The service keeps to its own OpenAPI document, whatever is sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.web.conftest import hook_of, newcomer


def is_not_our_fault(_: Any, response: Any, __: Any) -> None:
    """A 503 or 504 is an answer that the document promises; a 500 never is."""
    assert response.status_code != 500, response.text


CHECKS = [
    is_not_our_fault,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
pytestmark = pytest.mark.system  # half a minute, with all that it tries

EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def known(app, store):
    """A tenant, and real values for what stands in paths."""
    api = newcomer(app.test_client(), store)
    workflow = api.workflow()
    key = api.call("POST", "/api-keys", {"name": "Spare", "scopes": ["read"]})
    names = {
        "workflow_id": workflow["id"],
        "execution_id": api.run(workflow, {})["id"],
        "key_id": key["id"],
        "token": hook_of(workflow).rpartition("/")[2],
        "step": "note",
        "number": 1,
    }
    return api, names


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("real", [True, False], ids=["real ids", "any ids"])
def test_every_answer_is_one_that_the_document_describes(app, known, mode, real):
    api, names = known
    described = schemathesis.openapi.from_wsgi("/openapi.json", app)
    tried = []

    def call(case: Any) -> None:
        tried.append(f"{case.method} {case.path}")
        if real and case.method != "DELETE":
            _put_in(case, names)
        case.call_and_validate(
            headers={"Authorization": f"Bearer {api.key}"}, checks=CHECKS
        )

    for operation in _operations(described):
        if mode is GenerationMode.POSITIVE or _can_misfit(operation):
            strategy = operation.as_strategy(generation_mode=mode)
            EXAMPLES(given(strategy)(call))()

    assert len(set(tried)) >= 10


def _operations(described: Any) -> Iterator[Any]:
    for found in described.get_all_operations():
        yield found.ok()


def _can_misfit(operation: Any) -> bool:
    """Tell whether there is anything that a request could get wrong."""
    kinds = [each.media_type for each in operation.body]
    return bool([*operation.query]) or "application/json" in kinds


def _put_in(case: Any, names: dict[str, object]) -> None:
    given_names = case.path_parameters or {}
    case.path_parameters = {
        name: names.get(name, value) for name, value in given_names.items()
    }
