"""What a running server keeps to itself, and what doctor says about it."""

import json
import secrets
import stat
from base64 import b64encode
from pathlib import Path

import pytest

from tests.system.client import post
from tests.system.serving import Server
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

NOTE = {"id": "note", "uses": "set", "with": {"value": "{{ trigger.body }}"}}
FILES = 0o600
FOLDERS = 0o700


@pytest.fixture
def canaries(tmp_path) -> dict[str, str]:
    """Values of secrets, by the file that holds them."""
    values = {
        "SLUICE_SECRET_KEY": secrets.token_urlsafe(32),
        "SLUICE_ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "SLUICE_METRICS_TOKEN": secrets.token_urlsafe(16),
    }
    for name, value in values.items():
        (tmp_path / name).write_text(value)
    return values


def doctor(server: Server) -> tuple[int, list[dict[str, str]], str]:
    """Run doctor beside a server, as its operator would."""
    done = server.command("doctor", "--json")
    return done.returncode, json.loads(done.stdout)["findings"], done.stdout


def bad(findings: list[dict[str, str]]) -> list[dict[str, str]]:
    return [each for each in findings if each["level"] != "ok"]


def test_secrets_in_files_are_in_no_environment_log_or_file_of_the_server(
    start, canaries, tmp_path, figure
):
    kept = {f"{name}_FILE": str(tmp_path / name) for name in canaries}
    server = start(**kept)
    api = server.api()
    api.register()
    hook = api.workflow("Note", NOTE)["webhook_url"]
    for n in range(20):
        assert post(hook, {"n": n}).status == 202
    api.all_finished(within=20)

    processes = [server.pid, *server.workers()]
    environments = [Path(f"/proc/{each}/environ").read_bytes() for each in processes]
    told = doctor(server)[2].encode()
    places = [*environments, server.written().encode(), told]
    places += [each.read_bytes() for each in server.home.rglob("*") if each.is_file()]
    hits = [
        name
        for name, value in canaries.items()
        for each in places
        if value.encode() in each
    ]

    figure("places looked at for the secrets of the settings", len(places))
    figure("hits", len(hits))
    assert hits == []
    assert all(b"SLUICE_SECRET_KEY_FILE" in each for each in environments)


def test_nobody_else_may_read_what_a_server_makes(start):
    server = start()
    api = server.api()
    api.register()
    post(api.workflow("Note", NOTE)["webhook_url"], {})

    data = server.home / "data"
    modes = {
        each: stat.S_IMODE(each.stat().st_mode) for each in [data, *data.rglob("*")]
    }

    assert len(modes) >= 5
    wrong = {
        str(each): oct(mode)
        for each, mode in modes.items()
        if mode != (FOLDERS if each.is_dir() else FILES)
    }
    assert wrong == {}
    limits = Path(f"/proc/{server.workers()[0]}/limits").read_text()
    [core] = [each for each in limits.splitlines() if each.startswith("Max core file")]
    assert core.split()[4:6] == ["0", "0"]


def test_a_server_that_finds_its_data_open_says_so(start):
    server = start()
    server.stop()
    (server.home / "data").chmod(0o755)

    server.start()

    [line] = server.events("Others may read the data; run doctor")
    assert line["files"] == [str(server.home / "data")]


def test_doctor_looks_at_a_server_that_works_and_at_one_that_was_killed(start, figure):
    server = start()
    api = server.api()
    api.register()
    hook = api.workflow("Note", NOTE)["webhook_url"]
    reports = []
    for n in range(10):
        for _ in range(20):
            post(hook, {"n": n})
        reports.append(doctor(server))

    server.kill()
    code, findings, _ = doctor(server)

    figure(
        "doctor beside a working server: reports, with findings",
        f"{len(reports)}, {sum(bool(bad(each[1])) for each in reports)}",
    )
    assert [bad(each[1]) for each in reports] == [[]] * len(reports)
    assert {each[0] for each in reports} == {0}
    [finding] = bad(findings)
    assert (code, finding["check"]) == (1, "processes")
    server.start()
    eventually(lambda: doctor(server)[0] == 0, within=20, what="doctor is content")


def test_doctor_changes_nothing(start):
    server = start()
    server.api().register()
    server.stop()
    data = server.home / "data"
    before = {each: each.read_bytes() for each in data.rglob("*") if each.is_file()}

    _, findings, _ = doctor(server)

    assert bad(findings) == []
    left = {each: each.read_bytes() for each in data.rglob("*") if each.is_file()}
    assert {
        k: v for k, v in left.items() if k.suffix not in (".db-shm", ".db-wal")
    } == {k: v for k, v in before.items() if k.suffix not in (".db-shm", ".db-wal")}
