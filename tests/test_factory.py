"""Building and starting the service."""

import json
import stat
import subprocess
import sys
import threading

import pytest

from app.factory import create_app
from app.settings import Settings
from app.store.memory import MemoryStore


def test_building_starts_no_thread_and_opens_no_database(tmp_path):
    data = tmp_path / "data"
    before = set(threading.enumerate())

    create_app(Settings(data_dir=data))

    assert set(threading.enumerate()) == before
    made = {each.name for each in data.iterdir()}
    assert made == {"encryption.key", "session.key"}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_used_is_a_wrong_setting(tmp_path):
    occupied = tmp_path / "data"
    occupied.touch()

    with pytest.raises(ValueError, match=r"encryption\.key is not a key"):
        create_app(Settings(data_dir=occupied), store=MemoryStore())


def test_a_file_that_is_no_database_ends_the_start_with_its_reason(tmp_path, capsys):
    (tmp_path / "sluice.db").write_bytes(b"not a database" * 100)
    app = create_app(Settings(data_dir=tmp_path))

    with pytest.raises(SystemExit):
        app.extensions["start"]()

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "not a database" in line["reason"]


FIRST_START = """
import os, pathlib, sys
from app.factory import create_app
from app.settings import Settings
app = create_app(Settings(data_dir=pathlib.Path(sys.argv[1])))
app.extensions["start"]()
app.extensions["drain"].stop()
print(*sys.modules, file=sys.stderr)
"""


def test_nothing_stays_imported_that_only_a_first_start_has_use_for(tmp_path):
    told = subprocess.run(
        [sys.executable, "-c", FIRST_START, tmp_path / "data"],
        check=True,
        capture_output=True,
        text=True,
    )

    lines = told.stdout.splitlines()
    assert "Database migrated" in [json.loads(each)["message"] for each in lines]
    heavy = {"alembic", "dramatiq", "mako", "opentelemetry", "psycopg", "redis"}
    assert heavy & {*told.stderr.split()} == set()
