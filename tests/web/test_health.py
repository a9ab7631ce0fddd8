from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.times import rfc3339
from app.factory import create_app
from app.store.memory import MemoryStore
from tests.web.conftest import hook_of, serving


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_a_process_that_works_says_so_without_a_key(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_process_that_stops_is_alive_but_not_ready(settings):
    with serving(settings, MemoryStore()) as app:
        client = app.test_client()
        app.extensions["drain"].begin_drain()

        assert client.get("/health/live").status_code == 200
        answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert "/problems/draining" in answer.text
    assert answer.headers["Retry-After"] == "1"


def test_a_process_whose_store_cannot_be_written_is_not_ready(settings):
    store = MemoryStore()
    with serving(settings, store) as app:
        store.close()
        answer = app.test_client().get("/health/ready")
        store.start()

    assert answer.status_code == 503
    assert "/problems/store-unavailable" in answer.text


def test_metrics_are_prometheus_text_and_count_routes_and_not_paths(api, client):
    api.ask("GET", f"/workflows/{api.workflow()['id']}")

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    assert 'route="/api/v1/workflows/<workflow_id>"' in answer.text
    assert "wf_" not in answer.text


def test_nobody_fills_the_metrics_with_paths_or_methods_of_their_own(client):
    client.get("/no/such/path")
    client.open("/health", method="BREW")

    text = client.get("/metrics").text

    assert 'route="unmatched"' in text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert "such" not in text


def metrics(settings, header: str | None = None, **changes: str):
    app = create_app(replace(settings, **changes), store=MemoryStore())
    headers = {} if header is None else {"Authorization": header}
    return app.test_client().get("/metrics", headers=headers)


def test_in_production_metrics_are_off_until_they_have_a_token(settings):
    assert metrics(settings, env="production").status_code == 404
    assert metrics(settings, "Bearer ", env="production").status_code == 404


@pytest.mark.parametrize("env", ["production", "development"])
def test_with_a_token_metrics_are_for_those_who_know_it(settings, env):
    known = {"env": env, "metrics_token": "sesame"}

    for header in (None, "", "Bearer", "Bearer wrong", "sesame", "Bearer \u00e9"):
        answer = metrics(settings, header, **known)
        assert answer.status_code == 404
        assert "sesame" not in answer.text
    assert metrics(settings, "Bearer sesame", **known).status_code == 200


def test_the_books_of_a_tenant_and_of_a_workflow_balance(api, client):
    one, two = api.workflow("One"), api.workflow("Two")
    api.run(one, {})
    client.post(hook_of(two))

    whole = api.call("GET", "/ledger")
    part = api.call("GET", f"/ledger?workflow_id={one['id']}")

    assert (whole["received"], whole["accounted"], whole["balanced"]) == (2, 2, True)
    assert (part["received"], part["success"]) == (1, 1)
    assert set(part) == {
        "received", "duplicate", "handshake", "rejected", "shed", "queued", "running",
        "waiting", "success", "failed", "cancelled", "unknown", "quarantined",
        "accounted", "balanced",
    }  # fmt: skip


def test_the_books_can_be_asked_for_hours(api):
    api.run(api.workflow(), {})
    now = times.now()
    hour = timedelta(hours=1)

    def received(**hours) -> int:
        query = "&".join(f"{name}={rfc3339(at)}" for name, at in hours.items())
        count: int = api.call("GET", f"/ledger?{query}")["received"]
        return count

    assert received(since=now - hour, until=now + 2 * hour) == 1
    assert received(since=now + hour) == 0
    assert received(until=now - hour) == 0


def test_the_books_of_others_are_empty(api, stranger):
    made = api.workflow()
    api.run(made, {})

    for each in (made["id"], "wf_00", "%00"):
        books = stranger.call("GET", f"/ledger?workflow_id={each}")
        assert (books["received"], books["balanced"]) == (0, True)
    assert stranger.call("GET", "/ledger")["received"] == 0


@pytest.mark.parametrize("query", ["since=x", "until=1", "day=1", "since=&since="])
def test_books_of_no_time_are_refused(api, query):
    assert api.ask("GET", f"/ledger?{query}").status_code == 422


def test_stats_show_the_pool(api, settings):
    pool = api.call("GET", "/stats")["pool"]

    seats = settings.pool_workers + settings.pool_queue
    assert (pool["workers"], pool["capacity"]) == (settings.pool_workers, seats)
    assert set(pool) == {"workers", "busy", "queued", "capacity", "shed"}
