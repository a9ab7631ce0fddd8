"""Webhooks at two servers: what is changed or has come at one, the other one knows."""

from collections import Counter
from typing import Any

import pytest

from tests.system import verdict
from tests.system.client import post
from tests.system.fleet import at, flood, seconds_until

pytestmark = pytest.mark.system

COPIES = 60
NOTE = {"id": "note", "uses": "set", "with": {"value": 1}}
SOON = 5.0  # seconds; one is promised, where a core is free for it


def test_what_is_switched_off_or_renewed_at_one_is_so_at_the_other(doors, figure):
    first, second = doors
    api = first.api()
    api.register()
    workflow: Any = api.workflow("Note", NOTE)
    path, hook = f"/workflows/{workflow['id']}", at(second, workflow)
    assert post(hook, {}).status == 202  # now it is remembered there

    api.call("PATCH", path, {"is_active": False})
    off = seconds_until(lambda: post(hook, {}).status == 404, within=SOON, what="off")
    api.call("PATCH", path, {"is_active": True})
    on = seconds_until(lambda: post(hook, {}).status == 202, within=SOON, what="on")
    strict = {"trigger": {"type": "webhook", "methods": ["PUT"]}, "steps": [NOTE]}
    api.call("PUT", path, {"definition": strict})
    new = seconds_until(lambda: post(hook, {}).status == 405, within=SOON, what="new")

    told = ", ".join(f"{each * 1000:.0f}" for each in (off, on, new))
    figure("switched off, on, changed at one: so at the other after, ms", told)


def test_copies_at_both_are_one_execution(doors):
    api = doors[0].api()
    api.register()
    trigger = {"dedupe": "trigger.body.id"}
    workflow = api.workflow("Once", NOTE, **trigger)

    answers = flood([at(each, workflow) for each in doors], COPIES, {"id": 7})

    told = Counter(each.json["status"] for each in answers)
    assert told == {"queued": 1, "duplicate": COPIES - 1}
    [execution] = api.all_finished(within=30)
    assert {each.json["execution_id"] for each in answers} == {execution["id"]}
    assert verdict.unbalanced(api.ledger()) == []
