"""What a worker tells of itself over HTTP."""

import http.client
import json

import pytest

from app.domain.errors import StoreUnavailable
from app.worker.health import Health, serve


class Worker:
    """Well, until told otherwise."""

    trouble: StoreUnavailable | None = None

    def check(self):
        if self.trouble is not None:
            raise self.trouble

    def metrics(self):
        return b"sluice_pool_busy 3\n", "text/plain"


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def ask(worker):
    servers = []

    def ask(path, *, token=None, hidden=False, given=""):
        health = Health(worker.check, worker.metrics, token=token, hidden=hidden)
        servers.append(serve(health, "127.0.0.1", 0))
        port = servers[-1].server_address[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path, headers={"Authorization": given})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    yield ask
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_a_worker_that_is_well_says_so(ask, path):
    status, body = ask(path)

    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_a_worker_that_cannot_store_lives_and_is_not_ready(ask, worker):
    worker.trouble = StoreUnavailable("the disk is full")

    assert ask("/health/live")[0] == 200
    status, body = ask("/health/ready")
    assert status == 503
    assert json.loads(body)["type"] == "/problems/store-unavailable"
    assert json.loads(body)["detail"] == "the disk is full"


def test_metrics_are_for_who_knows_their_token(ask):
    assert ask("/metrics") == (200, b"sluice_pool_busy 3\n")
    assert ask("/metrics", hidden=True)[0] == 404
    assert ask("/metrics", token="t0ken", given="Bearer wrong")[0] == 404
    assert ask("/metrics", token="t0ken", given="Bearer t0ken", hidden=True)[0] == 200


def test_there_is_nothing_else(ask):
    status, body = ask("/api/v1/workflows")

    assert (status, json.loads(body)["title"]) == (404, "Not Found")
