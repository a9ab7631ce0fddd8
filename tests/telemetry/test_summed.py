"""Warnings that would flood the log, summed up."""

import logging

import pytest

from app.telemetry.summed import Summed

log = logging.getLogger("a part")


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.WARNING)

    def lines():
        ours = [each for each in caplog.records if each.name == log.name]
        return [(each.name, each.msg, each.count) for each in ours]

    return lines


def test_the_first_is_told_at_once_and_the_rest_with_the_second(told):
    summed = Summed()

    for _ in range(1000):
        summed.warn(log, "Refused", code="busy")
    assert told() == [("a part", "Refused", 1)]
    summed.flush()

    assert told() == [("a part", "Refused", 1), ("a part", "Refused", 999)]


def test_a_flood_has_one_line_a_second_until_a_second_is_quiet(told):
    summed = Summed()

    for _ in range(3):
        summed.warn(log, "Refused")
        summed.warn(log, "Refused")
        summed.flush()
    assert [count for _, _, count in told()] == [1, 1, 2, 2]
    summed.flush()
    summed.warn(log, "Refused")
    summed.flush()

    assert [count for _, _, count in told()] == [1, 1, 2, 2, 1]


def test_each_kind_is_counted_apart_and_its_facts_are_told(caplog):
    summed = Summed()

    for reason in ("bad", "stale", "bad", "bad"):
        summed.warn(log, "Refused", workflow_id="wf_1", reason=reason)
    summed.flush()

    facts = [(e.workflow_id, e.reason, e.count) for e in caplog.records]
    assert facts == [("wf_1", "bad", 1), ("wf_1", "stale", 1), ("wf_1", "bad", 2)]
