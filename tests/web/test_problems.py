import logging

import pytest

from app.store.memory import MemoryStore
from app.telemetry import logs
from tests.web.conftest import serving

KEYS = {"type", "title", "status", "detail", "request_id", "errors"}


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def app(settings, store):
    """A service for one test, because some break its store."""
    with serving(settings, store) as app:
        yield app


def problem_of(answer, status: int, code: str):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == f"/problems/{code}"
    assert answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert set(answer.json) == KEYS
    return answer.json


def test_an_unknown_path_is_a_problem(client):
    problem = problem_of(client.get("/nowhere"), 404, "not-found")

    assert problem["title"] == "Not Found"
    assert problem["errors"] == []


def test_a_wrong_method_is_a_problem_that_says_which_are_right(client):
    answer = client.delete("/api/v1/workflows")

    problem_of(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {
        "GET",
        "HEAD",
        "OPTIONS",
        "POST",
    }


def test_a_method_that_does_not_exist_is_a_problem(client):
    problem_of(client.open("/health", method="BREW"), 405, "method-not-allowed")


def test_double_slashes_are_not_redirected_but_unknown(client):
    problem_of(client.get("//health"), 404, "not-found")


def test_a_large_body_is_refused_by_its_length(api, settings):
    size = settings.max_body + 1
    answer = api.ask("POST", "/workflows", data=b"x" * size)

    problem = problem_of(answer, 413, "too-large")
    assert str(settings.max_body) in problem["detail"]


def test_a_body_of_exactly_the_limit_is_read(api, settings):
    answer = api.ask("POST", "/workflows", data=b" " * settings.max_body)

    problem_of(answer, 400, "not-json")


class Broken:
    """A collection with a fault in it."""

    def list(self, *_, **__):
        raise RuntimeError("the cable to shelf 7 is loose")


def test_a_fault_of_ours_is_logged_once_with_its_trace_and_told_without(
    api, store, caplog
):
    store.workflows = Broken()

    answer = api.ask("GET", "/workflows")

    problem = problem_of(answer, 500, "internal")
    assert "shelf" not in answer.text
    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    [error] = errors
    assert error.message == "Request failed"
    assert "shelf 7" in error.exc_text
    assert problem["request_id"]
    caplog.clear()


def test_a_store_that_cannot_be_written_is_503_with_a_time_to_come_back(api, store):
    workflow = api.workflow()
    store.close()

    answer = api.ask("DELETE", f"/workflows/{workflow['id']}")

    store.start()
    problem_of(answer, 503, "store-unavailable")
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("given", ["a", "A-1_2.3", "x" * 128])
def test_a_request_id_that_fits_is_kept(client, given: str):
    answer = client.get("/health", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", " ", "x" * 129, "a b", "a;b", "ü", "{}"])
def test_a_request_id_that_does_not_fit_is_replaced(client, given: str):
    answer = client.get("/health", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"].startswith("req_")


def test_every_answer_says_how_it_may_be_used(client):
    for path in ("/health", "/nowhere", "/api/v1/me"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_log_lines_of_a_request_know_its_id_and_caller(api, client, store):
    known = {}

    class Listening:
        def list(self, *_, **__):
            known.update(logs._facts.get() or {})
            return []

    store.workflows = Listening()
    api.ask("GET", "/workflows", headers={"X-Request-Id": "mine"})

    assert known["request_id"] == "mine"
    assert known["tenant_id"].startswith("tenant_")
    assert known["user_id"].startswith("user_")
    assert logs._facts.get() is None
