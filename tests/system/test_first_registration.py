"""Of two who register first at the same time, one becomes the owner."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.client import PASSWORD
from tests.system.serving import Server

pytestmark = pytest.mark.system

RACES = 100
SIDE_BY_SIDE = 2  # servers at a time


def race(home: Path) -> tuple[list[int], int, int]:
    """Start a server of two processes that nobody knows yet, and register twice."""
    home.mkdir()
    server = Server(home, WEB_CONCURRENCY="2")
    try:
        server.start(within=60)
        ready = threading.Barrier(2)

        def register(number: int) -> int:
            asked = {
                "email": f"{number}@example.com",
                "password": PASSWORD,
                "tenant": f"Tenant {number}",
            }
            ready.wait(10)
            return server.api().ask("POST", "/auth/register", asked).status

        with ThreadPoolExecutor(2) as people:
            statuses = sorted(people.map(register, range(2)))
        with closing(sqlite3.connect(home / "data" / "sluice.db")) as connection:
            [(tenants,)] = connection.execute("SELECT count(*) FROM tenants")
            [(owners,)] = connection.execute(
                "SELECT count(*) FROM members WHERE role = 'owner'"
            )
        return statuses, tenants, owners
    finally:
        server.close()


def test_of_two_first_registrations_one_wins_a_hundred_times(tmp_path, figure):
    homes = [tmp_path / f"race-{number}" for number in range(RACES)]

    with ThreadPoolExecutor(SIDE_BY_SIDE) as races:
        ended = list(races.map(race, homes))

    assert ended == [([201, 403], 1, 1)] * RACES
    figure("races of two first registrations, each won by one", len(ended))
