"""The commands of docs/operations.md, run as they stand there against a real server."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.settings import Settings
from tests.deploy.operations import scripts
from tests.system.client import post
from tests.system.serving import Server, step
from tests.system.sink import Sink

pytestmark = pytest.mark.system
needs_sqlite3 = pytest.mark.skipif(
    shutil.which("sqlite3") is None, reason="sqlite3 is not installed"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    one.start()
    yield one
    one.close()


def run(script: str, places: Mapping[str, Path]) -> None:
    """Run a script of the document with our own places, and as this user."""
    for other_user in ("sudo -u sluice ", "sudo ", " -o sluice -g sluice"):
        script = script.replace(other_user, "")
    for theirs, ours in places.items():
        assert theirs in script
        script = script.replace(theirs, str(ours))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_settings_that_the_document_makes_are_enough_for_production(tmp_path: Path):
    [script] = scripts("Install it with systemd")
    (tmp_path / "sluice").mkdir()

    run(script, {"/etc/sluice": tmp_path / "sluice"})

    written = tmp_path / "sluice" / "sluice.env"
    lines = written.read_text().splitlines()
    settings = Settings.from_env(
        {"SLUICE_ENV": "production"} | dict(each.split("=", 1) for each in lines)
    )
    assert settings.setup_token
    assert settings.base_url == "https://sluice.example.com"
    assert written.stat().st_mode & 0o777 == 0o600


@needs_sqlite3
def test_a_backup_made_under_load_restores_what_was_there_and_finishes_it(
    server: Server, tmp_path: Path
):
    backups = tmp_path / "backups"
    backups.mkdir()
    places = {"/var/lib/sluice": tmp_path / "data", "/var/backups/sluice": backups}
    backup, restore = scripts("Backup and restore")
    stop, *moves, begin = restore.splitlines(keepends=True)
    assert "systemctl stop sluice.socket sluice.service" in stop
    assert "systemctl start sluice.socket sluice.service" in begin
    api = server.api()
    api.register()
    with Sink() as sink:
        step_held = step("tell", f"{sink.url}/told?held=1")
        hook = api.workflow("Kept", step_held)["webhook_url"]
        before = {post(hook, {"n": n}).json["execution_id"] for n in range(20)}
        sink.wait_for(10, within=10)

        run(backup, places)
        after = {post(hook, {"n": n}).json["execution_id"] for n in range(5)}
        sink.release()
        assert len(api.all_finished(within=20)) == 25
        assert server.stop() == 0
        run("".join(moves), places)
        server.start()

        ended = api.all_finished(within=20)
        keys = [each.key for each in sink.arrivals()]

    assert {each["id"] for each in ended} == before
    assert before.isdisjoint(after)
    assert {each["status"] for each in ended} == {"success"}
    assert (len(keys), len(set(keys))) == (45, 25)  # what ran since, ran again
    assert api.ledger()["balanced"] is True
    assert [each.name for each in backups.iterdir()] == ["sluice.db"]
    assert (tmp_path / "data.old/sluice.db").exists()
