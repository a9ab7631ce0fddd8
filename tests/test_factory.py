"""Building and starting the service."""

import json

import pytest

from app.factory import create_app
from app.settings import Settings
from app.store.memory import MemoryStore


def test_building_starts_no_thread_and_opens_no_file(tmp_path):
    data = tmp_path / "data"

    create_app(Settings(data_dir=data))

    assert not data.exists()


def test_a_data_directory_that_cannot_be_used_ends_the_start_with_its_reason(
    tmp_path, capsys
):
    occupied = tmp_path / "data"
    occupied.touch()
    app = create_app(Settings(data_dir=occupied), store=MemoryStore())

    with pytest.raises(SystemExit) as ended:
        app.extensions["start"]()

    assert ended.value.code == 3
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["level"] == "critical"
    assert "data directory cannot be used" in line["reason"]


def test_a_file_that_is_no_database_ends_the_start_with_its_reason(tmp_path, capsys):
    (tmp_path / "sluice.db").write_bytes(b"not a database" * 100)
    app = create_app(Settings(data_dir=tmp_path))

    with pytest.raises(SystemExit):
        app.extensions["start"]()

    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "not a database" in line["reason"]
