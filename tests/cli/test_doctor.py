"""What doctor finds, and what it never says."""

import fcntl
import json
import os
import secrets
import sqlite3
from base64 import b64encode
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app import cli
from app.domain import times
from app.store.sql import SqlStore
from tests.store.company import Company, found

EVERY = {
    "books", "clock", "database", "disk", "files", "keys", "open-files", "processes",
    "schema", "settings",
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of a tenant and a run, as a server that has ended leaves them."""
    home = tmp_path_factory.mktemp("data")
    store = SqlStore(f"sqlite:///{home}/sluice.db")
    store.start()
    company: Company = found(store)
    company.finish(company.run(owner=None))
    store.close()
    _close(home)
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    copy = tmp_path / "data"
    copy.mkdir(mode=0o700)
    for each in sound.iterdir():
        (copy / each.name).write_bytes(each.read_bytes())
    _close(copy)
    return copy


def _close(home: Path) -> None:
    for each in home.iterdir():
        each.chmod(0o600)


@pytest.fixture
def env(home):
    """Everything as it should be in production."""
    return {
        "SLUICE_ENV": "production",
        "SLUICE_DATA_DIR": str(home),
        "SLUICE_SECRET_KEY": secrets.token_urlsafe(32),
        "SLUICE_ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "SLUICE_SETUP_TOKEN": secrets.token_urlsafe(16),
        "SLUICE_METRICS_TOKEN": secrets.token_urlsafe(16),
        "SLUICE_PUBLIC_URL": "https://sluice.example.com",
        "SLUICE_TRUSTED_HOSTS": "sluice.example.com",
    }


@pytest.fixture
def doctor(capsys):
    """Run the command; return its exit code and its findings."""

    def run(env):
        code = cli.main(["doctor", "--json"], env)
        return code, json.loads(capsys.readouterr().out)["findings"]

    return run


def bad(findings):
    return [each for each in findings if each["level"] != "ok"]


def test_a_sound_installation_has_a_line_for_each_thing_and_nothing_to_do(doctor, env):
    code, findings = doctor(env)

    assert bad(findings) == []
    assert code == 0
    assert {each["check"] for each in findings} == EVERY


def test_the_report_for_people_has_one_line_a_finding(capsys, env):
    assert cli.main(["doctor"], env | {"SLUICE_SIGNUP": "open"}) == 1

    lines = capsys.readouterr().out.splitlines()
    [line] = [each for each in lines if each.startswith("warning")]
    assert line.split()[1] == "signup"
    assert "SLUICE_SIGNUP=open; expected `first` in production. " in line
    assert all(each.startswith(("ok ", "warning ")) for each in lines)


WEAK = b64encode(bytes(32)).decode()
COUNT = b64encode(bytes(range(32))).decode()
READABLE = b64encode(b"correct horse battery staple 123").decode()


@pytest.mark.parametrize(
    ("changes", "check", "level"),
    [
        ({"SLUICE_SECRET_KEY": "short"}, "keys", "problem"),
        ({"SLUICE_SECRET_KEY": "a" * 64}, "keys", "problem"),
        ({"SLUICE_SECRET_KEY": "change-me-" + "q8Zr1Lk0vT" * 4}, "keys", "problem"),
        ({"SLUICE_SETUP_TOKEN": "q8Zr1Lk0vT"}, "keys", "problem"),
        ({"SLUICE_METRICS_TOKEN": "abcabcabcabcabcabcabc"}, "keys", "problem"),
        ({"SLUICE_ENCRYPTION_KEYS": WEAK}, "keys", "problem"),
        ({"SLUICE_ENCRYPTION_KEYS": COUNT}, "keys", "problem"),
        ({"SLUICE_ENCRYPTION_KEYS": READABLE}, "keys", "problem"),
        ({"SLUICE_SIGNUP": "open"}, "signup", "warning"),
        ({"SLUICE_TRUSTED_HOSTS": ""}, "hosts", "warning"),
        ({"SLUICE_PUBLIC_URL": ""}, "public-url", "warning"),
        ({"SLUICE_PUBLIC_URL": "http://sluice.example"}, "public-url", "warning"),
        ({"SLUICE_CORS_ORIGINS": "*"}, "cors", "problem"),
        ({"SLUICE_CORS_ORIGINS": "https://.*"}, "cors", "problem"),
        ({"SLUICE_OUTBOUND_PRIVATE": "allow"}, "outbound", "warning"),
        ({"SLUICE_OUTBOUND_ALLOW": "10.0.0.0/8,::/0"}, "outbound", "problem"),
        (
            {"SLUICE_ENV": "development", "SLUICE_BIND": "0.0.0.0"},  # noqa: S104
            "environment",
            "problem",
        ),
    ],
    ids=str,
)
def test_a_setting_that_is_weak_or_open_is_found(doctor, env, changes, check, level):
    code, findings = doctor(env | changes)

    assert [(each["check"], each["level"]) for each in bad(findings)] == [
        (check, level)
    ]
    assert code == {"warning": 1, "problem": 2}[level]
    assert all(each["expected"] and each["advice"] for each in bad(findings))


def test_one_value_in_two_places_is_found(doctor, env):
    twice = env["SLUICE_ENCRYPTION_KEYS"]

    _, listed = doctor(env | {"SLUICE_ENCRYPTION_KEYS": f"{twice},{twice}"})
    _, shared = doctor(env | {"SLUICE_SECRET_KEY": twice})

    assert "names a key twice" in bad(listed)[0]["found"]
    assert "used for several" in bad(shared)[0]["found"]


def test_settings_with_which_nothing_starts_are_the_only_finding(doctor, env):
    code, findings = doctor(env | {"PORT": "http", "SLUICE_SECRET_KEY": "canary"})

    assert code == 2
    [finding] = findings
    assert finding["found"].startswith("PORT is 'http'")


@pytest.mark.parametrize(
    ("mode", "name", "level"),
    [
        (0o640, "sluice.db", "warning"),
        (0o604, "sluice.db.lock", "warning"),
        (0o602, "sluice.db", "problem"),
        (0o640, "encryption.key", "problem"),
        (0o755, "", "warning"),
    ],
)
def test_what_others_may_read_or_change_is_found(doctor, env, mode, name, level):
    home = Path(env["SLUICE_DATA_DIR"])
    (home / name).touch()
    (home / name).chmod(mode)

    _, findings = doctor(env)

    [finding] = bad(findings)
    assert (finding["check"], finding["level"]) == ("files", level)
    assert str((home / name).resolve()) in finding["found"]
    assert finding["advice"] == f"chmod -R go= {home}"


def test_where_no_server_has_been_yet_nothing_is_made(doctor, env, tmp_path):
    nowhere = tmp_path / "nowhere"

    code, findings = doctor(env | {"SLUICE_DATA_DIR": str(nowhere)})

    assert code == 1
    assert [each["check"] for each in bad(findings)] == ["files", "database"]
    assert not nowhere.exists()


def spoil(home: Path, statement: str, *values) -> None:
    with closing(sqlite3.connect(home / "sluice.db")) as connection, connection:
        connection.execute(statement, values)
    _close(home)


def test_a_damaged_database_is_found(doctor, env, home):
    database = home / "sluice.db"
    pages = bytearray(database.read_bytes())
    middle = len(pages) // 2
    pages[middle:-4096] = secrets.token_bytes(len(pages) - middle - 4096)
    database.write_bytes(pages)

    code, findings = doctor(env)

    assert code == 2
    assert any(
        each["check"] == "database" and each["level"] == "problem" for each in findings
    )


def test_what_is_no_database_is_found(doctor, env, home):
    (home / "sluice.db").write_bytes(b"not a database" * 1000)

    code, findings = doctor(env)

    assert code == 2
    assert {each["check"] for each in bad(findings)} == {"database"}


@pytest.mark.parametrize(
    ("revision", "advice"),
    [("0001", "Start the server"), ("9999", "A newer release")],
)
def test_another_schema_is_found(doctor, env, home, revision, advice):
    spoil(home, "UPDATE alembic_version SET version_num = ?", revision)

    code, findings = doctor(env)

    [finding] = bad(findings)
    assert (code, finding["check"]) == (1, "schema")
    assert revision in finding["found"]
    assert finding["advice"].startswith(advice)


def test_books_that_do_not_balance_are_found_with_their_tenant(doctor, env, home):
    spoil(home, "UPDATE ledger SET n = n + 1 WHERE outcome = 'received'")

    code, findings = doctor(env)

    [finding] = bad(findings)
    assert (code, finding["check"], finding["level"]) == (2, "books", "problem")
    assert "received 2 and accounts for 1" in finding["found"]
    assert finding["found"].startswith("tenant_")


def test_a_clock_that_went_back_is_found(doctor, env, home):
    future = int((times.now() + timedelta(hours=2)).timestamp() * 1000)
    spoil(home, "UPDATE executions SET created_at = ?", future)

    _, findings = doctor(env)

    assert ("clock", "problem") in {(each["check"], each["level"]) for each in findings}


def test_a_process_that_ended_without_a_farewell_is_found(doctor, env, home):
    owners = home / "owners"
    owners.mkdir(mode=0o700)
    for each in ("proc_dead", "proc_living"):
        (owners / f"{each}.lock").touch(mode=0o600)
    lock = os.open(owners / "proc_living.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    code, findings = doctor(env)
    os.close(lock)

    [finding] = bad(findings)
    assert (code, finding["check"]) == (1, "processes")
    assert finding["found"] == "1 running, 1 ended without a farewell: proc_dead"
    [finding] = bad(doctor(env)[1])
    assert finding["found"].startswith("none is running, 2 ended")


def test_no_secret_is_ever_printed(capsys, env):
    names = ("SECRET_KEY", "ENCRYPTION_KEYS", "SETUP_TOKEN", "METRICS_TOKEN")
    values = [env[f"SLUICE_{each}"] for each in names]

    for more in ({}, {"PORT": "x"}, {"SLUICE_ENCRYPTION_KEYS": "canary-1"}):
        for arguments in (["doctor"], ["doctor", "--json"]):
            cli.main(arguments, env | more)

    told = capsys.readouterr()
    for each in [*values, "canary-1"]:
        assert each not in told.out
        assert each not in told.err
