"""Payloads that wait in memory for their executions to start."""

from dataclasses import replace

import pytest

from app.domain.errors import NotFound
from app.engine import payloads
from app.engine.payloads import Payloads
from app.store.memory import MemoryStore
from tests.store.company import found, payload


@pytest.fixture
def company():
    return found(MemoryStore())


@pytest.fixture
def kept(company):
    return Payloads(company.store.executions)


def test_a_kept_payload_is_taken_without_asking_the_store_and_only_once(kept):
    came = payload()

    kept.keep("exec_1", came)

    assert kept.take("tenant_1", "exec_1") is came
    with pytest.raises(NotFound):  # the store was asked, and never had it
        kept.take("tenant_1", "exec_1")


def test_a_large_payload_is_read_from_the_store(company, kept):
    large = payload(body=b"x" * (payloads.SMALL + 1))
    execution = company.execution()
    company.store.executions.add(execution, large).result(timeout=5)

    kept.keep(execution.id, replace(large, path="/kept"))

    assert kept.take(execution.tenant_id, execution.id) == large


def test_the_oldest_make_room_so_that_memory_is_bounded(company, kept):
    body = b"x" * payloads.SMALL
    room = payloads.ROOM // (payloads.SMALL + payloads.ENVELOPE)
    for number in range(room + 1):
        kept.keep(f"exec_{number}", payload(body=body))

    with pytest.raises(NotFound):
        kept.take("tenant_1", "exec_0")
    assert kept.take("tenant_1", "exec_1").body == body


def test_payloads_without_a_body_take_room_too(kept):
    for number in range(payloads.ROOM // payloads.ENVELOPE + 1):
        kept.keep(f"exec_{number}", payload(body=b""))

    with pytest.raises(NotFound):
        kept.take("tenant_1", "exec_0")
