"""Secrets that cannot be read, and headers that cannot be trusted; without Flask."""

import pytest

from tests.web.receiving import Rig
from tests.web.signed import BODY, named
from tests.web.test_doors import TOKEN, published


@pytest.fixture
def rig():
    return Rig()


LOCKED = [
    {"scheme": "github", "secret": {"credential": "gone"}},
    {"scheme": "github", "secret": ["x", {"credential": "gone"}]},
    {"scheme": "standard", "secret": {"credential": "no-key"}},
    {"scheme": "from-a-later-release", "secret": "x"},
    {"scheme": "meta", "secret": "x", "verify_token": {"credential": "gone"}},
]


@pytest.mark.parametrize("verify", LOCKED, ids=str)
def test_a_secret_that_cannot_be_read_is_503_and_never_unverified(rig, caplog, verify):
    rig.safe.values["no-key"] = b"hunter2"
    rig.stored.known[TOKEN] = published(verify=verify)

    answer, problem = rig.refused(503)

    assert answer.headers["Retry-After"] == "30"
    assert problem["type"] == "/problems/credential-unreadable"
    assert rig.books.outcomes == ["failed"]
    [line] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert line.message == "Webhook secret unreadable"
    assert "hunter2" not in str(vars(line))
    caplog.clear()


def test_a_secret_that_can_be_read_again_opens_the_door(rig, caplog):
    sender = named("github")
    verify = {"scheme": "github", "secret": {"credential": "hook"}}
    rig.stored.known[TOKEN] = published(verify=verify)
    rig.refused(503)
    caplog.clear()

    rig.safe.values["hook"] = sender.secret.encode()
    rig.doors.forget("tenant_1")
    sent = sender.send(BODY)

    rig.admit(body=sent.body, headers={k.lower(): v for k, v in sent.headers.items()})
    assert len(rig.desk.runs) == 1


def test_signatures_of_a_header_that_comes_twice_are_not_guessed_at(rig):
    sender = named("github")
    rig.stored.known[TOKEN] = published(verify=sender.verify)
    sent = sender.send(BODY)
    # as the server joins them
    twice = {name.lower(): f"{value},{value}" for name, value in sent.headers.items()}

    rig.refused(401, body=sent.body, headers=twice)
