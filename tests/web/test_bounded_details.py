"""What an answer costs in memory does not grow with what the steps put out."""

import json
import tracemalloc

import pytest

from app.domain import ids
from app.domain.execution import Execution, Segment, Status, Trigger
from app.settings import Settings
from app.store.protocol import Store
from app.store.sql import SqlStore
from tests.store.company import HERE, LATER, NOON, payload, step
from tests.web.conftest import Api, newcomer

STEPS = 40
MIB = 1 << 20
LARGE = b'"%b"' % (b"x" * (MIB - 2))
MEDIUM = b'"%b"' % (b"y" * 30_000)
MOST = 3 * MIB  # of an answer of up to 256 KiB, with every copy on its way


@pytest.fixture(scope="module")
def store(settings: Settings) -> SqlStore:
    return SqlStore(settings.database)


@pytest.fixture(scope="module")
def api(app, store) -> Api:
    return newcomer(app.test_client(), store)


@pytest.fixture(scope="module")
def path(api, store) -> str:
    """An execution of forty steps with 1 MiB each, and some that are smaller."""
    made = api.workflow()
    me = api.call("GET", "/me")
    execution = Execution(
        tenant_id=me["tenant"]["id"],
        id=ids.new("exec"),
        workflow_id=made["id"],
        workflow_name=made["name"],
        version=1,
        status=Status.QUEUED,
        trigger=Trigger.MANUAL,
        user_id=me["user"]["id"],
        created_at=NOON,
        owner=HERE,
    )
    large = [step(f"large{n}", n, output=LARGE) for n in range(STEPS)]
    medium = [step(f"m{n}", STEPS + n, output=MEDIUM) for n in range(STEPS)]
    _store(store, execution, [*large, *medium])
    return f"/executions/{execution.id}"


def _store(store: Store, execution: Execution, steps) -> None:
    executions = store.executions
    executions.add(execution, payload()).result(timeout=5)
    assert executions.start(execution, at=NOON).result(timeout=5)
    ended = executions.finish(
        execution,
        steps,
        status=Status.SUCCESS,
        error=None,
        segments=[Segment(NOON, LATER)],
        at=LATER,
    )
    assert ended.result(timeout=30)


@pytest.mark.parametrize("rest", ["", "/steps?limit=200"])
def test_an_answer_about_steps_reads_no_output_that_it_does_not_show(api, path, rest):
    answer, peak = _measured(api, f"{path}{rest}")

    assert len(answer) < 256 * 1024
    shown = json.loads(answer)
    steps = shown.get("steps") or shown["items"]
    assert [each["output"]["size"] for each in steps[:STEPS]] == [MIB] * STEPS
    assert steps[STEPS]["output"] == json.loads(MEDIUM)
    assert peak < MOST


def test_one_output_is_read_without_the_others(api, path):
    answer, peak = _measured(api, f"{path}/steps/large7/output")

    assert answer == LARGE
    assert peak < MOST


def _measured(api: Api, path: str) -> tuple[bytes, int]:
    """Return an answer, and the bytes that Python held at most while making it."""
    tracemalloc.start()
    try:
        answer = api.ask("GET", path)
        return answer.data, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
