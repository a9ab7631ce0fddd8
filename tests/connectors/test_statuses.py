from datetime import UTC, datetime

import pytest

from app.connectors import statuses
from app.connectors.http import Reply
from app.domain.errors import StepFailed

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)


def reply(status, **headers):
    origin = "https://api.example.com:443"
    return Reply(origin=origin, status=status, headers=headers, body=b"s3cret")


@pytest.mark.parametrize("status", [200, 204, 302, 304, 399])
def test_every_status_below_400_is_accepted(status):
    statuses.require(reply(status))


def refused(answer):
    with pytest.raises(StepFailed) as failed:
        statuses.require(answer)
    return failed.value


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_another_try_may_help_against_overload_and_broken_servers(status):
    assert refused(reply(status)).retryable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
def test_another_try_does_not_help_against_a_wrong_request(status):
    failure = refused(reply(status))

    assert (failure.code, failure.retryable) == ("http-status", False)
    assert str(failure) == f"https://api.example.com:443 answered with status {status}"
    assert failure.retry_after is None


def test_what_is_accepted_can_be_chosen():
    statuses.require(reply(404), lambda status: status == 404)

    with pytest.raises(StepFailed):
        statuses.require(reply(200), lambda status: status == 404)


def test_a_server_may_ask_for_a_wait():
    assert refused(reply(429, **{"retry-after": "7"})).retry_after == 7.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("1.5", 1.5),
        (" 3 ", 3.0),
        ("-5", 0.0),
        ("3601", 3600.0),
        ("1e400", 3600.0),
        ("9" * 5000, 3600.0),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("1, 2", None),
        ("Thu, 08 Jan 2026 12:01:00 GMT", 60.0),
        ("Thursday, 08-Jan-26 12:01:00 GMT", 60.0),
        ("Thu Jan  8 12:01:00 2026", 60.0),
        ("Thu, 08 Jan 2026 13:01:00 +0100", 60.0),
        ("Thu, 08 Jan 2026 11:00:00 GMT", 0.0),
        ("Fri, 09 Jan 2026 12:00:00 GMT", 3600.0),
        ("Thu, 99 Jan 2026 12:00:00 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_every_form_of_retry_after_is_read(value, seconds):
    assert statuses.retry_after(value, at=NOON) == seconds
