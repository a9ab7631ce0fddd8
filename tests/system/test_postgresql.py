"""P1 and P10 on PostgreSQL, which is stopped at once while we are killed."""

import signal

import pytest

from tests.services.postgres import Postgres
from tests.system import verdict
from tests.system.client import send
from tests.system.load import Load
from tests.system.octokit import Event
from tests.system.serving import Server, step
from tests.system.sink import Sink
from tests.system.waiting import eventually

pytestmark = pytest.mark.system
ROUNDS = 2


def test_kills_of_the_server_and_immediate_stops_of_postgresql_lose_nothing(
    start, own_postgres: Postgres, sink: Sink, payloads: list[Event], figure
):
    installation = own_postgres.install("sluice")
    server: Server = start(DATABASE_URL=installation.owner, SLUICE_LEASE="3")
    api = server.api()
    api.register()
    workflow = api.workflow("One step", step("tell", f"{sink.url}/tell"))

    def is_ready(status: int) -> bool:
        return send("GET", f"{server.url}/health/ready").status == status

    with Load(workflow["webhook_url"], payloads, clients=8) as load:
        for _ in range(ROUNDS):
            sink.wait_for(len(sink.arrivals()) + 50, within=60)
            own_postgres.stop(signal.SIGQUIT)
            eventually(lambda: is_ready(503), within=15, what="it says that it cannot")
            own_postgres.start()
            eventually(lambda: is_ready(200), within=30, what="it goes on")
            sink.wait_for(len(sink.arrivals()) + 50, within=60)
            server.kill()
            server.start()
        sink.wait_for(len(sink.arrivals()) + 50, within=60)
    executions = api.all_finished(within=90)

    assert verdict.lost(load.acknowledged, executions) == []
    assert verdict.unended(executions) == []
    assert verdict.unbalanced(api.ledger()) == []
    assert len(load.acknowledged) > 50 * ROUNDS
    figure("kills of the server, stops of PostgreSQL", f"{ROUNDS}, {ROUNDS}")
    figure("acknowledged, lost", f"{len(load.acknowledged)}, 0")
