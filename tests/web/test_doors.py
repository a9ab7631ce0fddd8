from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from app.domain import times
from app.domain.errors import NotFound
from app.domain.workflow import Published, Token, Version, Workflow
from app.security import tokens
from app.web.doors import MARGIN, SIZE, TTL, Doors
from app.web.verifying import Verifiers

TOKEN = tokens.new()


def published(token: str = TOKEN, **trigger) -> Published:
    at = times.now()
    workflow = Workflow(
        tenant_id="tenant_1",
        id="wf_1",
        name="Orders",
        version=1,
        is_active=True,
        token=Token(tokens.digest(token), b""),
        created_at=at,
        updated_at=at,
    )
    version = Version(
        tenant_id="tenant_1",
        workflow_id="wf_1",
        number=1,
        definition={"trigger": {"type": "webhook", **trigger}, "steps": []},
        author_id="user_1",
        created_at=at,
    )
    return Published(workflow, version)


@dataclass
class Stored:
    """Workflows by token, counting how often they are asked for."""

    known: dict[str, Published] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    then: list[Callable[[], None]] = field(default_factory=list)

    def by_token(self, token: str) -> Published | None:
        self.asked.append(token)
        found = self.known.get(token)
        for each in self.then:
            each()
        return found


@dataclass
class Safe:
    """Credentials of one tenant, by name."""

    values: dict[str, bytes] = field(default_factory=dict)

    def reveal(self, tenant_id: str, name: str) -> bytes:
        if tenant_id != "tenant_1" or name not in self.values:
            raise NotFound("there is no such credential")
        return self.values[name]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stored():
    return Stored({TOKEN: published()})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def doors(stored, clock):
    verifiers = Verifiers(Safe(), public_url="https://sluice.example")
    return Doors(stored, verifiers, clock=clock)


def test_a_door_is_looked_up_once_as_long_as_it_is_fresh(doors, stored, clock):
    for _ in range(3):
        assert doors.find(TOKEN).workflow.id == "wf_1"
    assert stored.asked == [TOKEN]

    clock.now += TTL
    assert doors.find(TOKEN).workflow.id == "wf_1"
    assert stored.asked == [TOKEN] * 2


def test_a_door_whose_time_is_nearly_over_takes_one_thread_to_look_again(
    doors, stored, clock
):
    assert not doors.is_swift(TOKEN)
    doors.find(TOKEN)
    assert doors.is_swift(TOKEN)

    clock.now += TTL - MARGIN / 2
    assert not doors.is_swift(TOKEN)
    doors.find(TOKEN)

    assert stored.asked == [TOKEN] * 2
    assert doors.is_swift(TOKEN)


def test_an_unknown_token_is_remembered_as_unknown(doors, stored):
    unknown = tokens.new()

    assert [doors.find(unknown) for _ in range(3)] == [None] * 3
    assert stored.asked == [unknown]


def test_what_is_no_token_is_never_looked_up(doors, stored):
    for text in ("", "x", "x" * 31 + "/", "\0" * 32, "ü" * 32):
        assert doors.find(text) is None
    assert stored.asked == []


def test_a_forgotten_door_is_looked_up_again(doors, stored):
    doors.find(TOKEN)
    del stored.known[TOKEN]

    doors.forget("tenant_1", "wf_1")

    assert doors.find(TOKEN) is None


def test_only_what_changed_is_forgotten(doors, stored):
    doors.find(TOKEN)

    doors.forget("tenant_1", "wf_2")
    doors.forget("tenant_2")
    doors.find(TOKEN)
    assert stored.asked == [TOKEN]

    doors.forget("tenant_1")
    doors.find(TOKEN)
    assert stored.asked == [TOKEN] * 2


def test_what_was_read_before_a_change_is_not_kept_after_it(doors, stored):
    stored.then.append(
        lambda: doors.forget("tenant_1", "wf_1")
    )  # changed while it was read
    assert doors.find(TOKEN) is not None
    stored.then.clear()
    del stored.known[TOKEN]

    assert doors.find(TOKEN) is None


def test_no_flood_of_tokens_grows_the_memory(doors):
    for _ in range(SIZE + 100):
        doors.find(tokens.new())

    assert len(doors._known) == SIZE


@pytest.mark.parametrize(
    ("trigger", "methods", "json_only"),
    [
        ({}, ("POST",), False),
        ({"methods": ["GET", "PUT"], "accept": "json"}, ("GET", "PUT"), True),
        ({"accept": "any"}, ("POST",), False),
    ],
)
def test_a_door_lets_in_what_the_trigger_says(
    doors, stored, trigger, methods, json_only
):
    stored.known[TOKEN] = published(**trigger)

    door = doors.find(TOKEN)

    assert (door.methods, door.json_only, door.is_open) == (methods, json_only, True)


def test_the_door_of_an_inactive_or_manual_workflow_is_shut(doors, stored):
    one = published()
    inactive = replace(one.workflow, is_active=False)
    stored.known[TOKEN] = Published(inactive, one.version)
    assert not doors.find(TOKEN).is_open

    doors.forget("tenant_1", "wf_1")
    stored.known[TOKEN] = published(type="manual")
    assert not doors.find(TOKEN).is_open
