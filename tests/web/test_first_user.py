"""Two who register first at the same instant, through the whole service on SQLite."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from app.settings import Settings
from app.store.sql import SqlStore
from tests.web.conftest import PASSWORD, serving

SAME = 2  # who register at once
TABLES = ("tenants", "users", "members", "api_keys", "founding")


def race(settings: Settings, home: Path) -> tuple[list[int], dict[str, int]]:
    """Let two register; return what they were told, and what is stored."""
    here = replace(settings, data_dir=home, signup="first")
    start = Barrier(SAME)
    with serving(here, SqlStore(here.database)) as app:

        def register(number: int) -> int:
            asked = {
                "email": f"{number}@example.com",
                "password": PASSWORD,
                "tenant": f"Mill {number}",
            }
            client = app.test_client()
            start.wait(5)
            return client.post("/api/v1/auth/register", json=asked).status_code

        with ThreadPoolExecutor(SAME) as people:
            told = sorted(people.map(register, range(SAME)))
    with closing(sqlite3.connect(home / "sluice.db")) as database:
        counts = {
            each: database.execute(f"SELECT count(*) FROM {each}").fetchone()[0]  # noqa: S608 - our names
            for each in TABLES
        }
    return told, counts


def assert_one_wins(told: list[int], counts: dict[str, int]) -> None:
    assert told == [201, 403]
    assert counts == dict.fromkeys(TABLES, 1)


def test_one_of_them_becomes_the_owner_and_the_other_is_told(settings, tmp_path):
    for number in range(2):
        assert_one_wins(*race(settings, tmp_path / str(number)))


@pytest.mark.system
def test_so_it_is_a_hundred_times(
    settings, tmp_path, record_property: Callable[[str, object], None]
):
    for number in range(100):
        assert_one_wins(*race(settings, tmp_path / str(number)))

    record_property("simultaneous first registrations with one owner, of 100", 100)
