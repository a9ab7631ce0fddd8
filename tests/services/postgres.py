"""A PostgreSQL of our own: a fresh cluster on a free port, ended with the tests."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import psycopg

from tests.system.serving import free_port
from tests.system.waiting import eventually

DEBIAN = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"
OWNER, USER = "sluice_owner", "sluice"  # of the tables: whose they are, who uses them
QUICK = {"fsync": "off", "full_page_writes": "off"}  # never where something is killed


@dataclass(frozen=True, slots=True)
class Installation:
    """The URLs of a database: of who owns the tables, and of who uses them."""

    owner: str
    url: str


class Account(TypedDict, total=False):
    """Who runs a program."""

    user: str
    extra_groups: tuple[str, ...]


def binaries() -> Path | None:
    """The folder with the newest `initdb` and `postgres`, if there are any."""
    newest_first = sorted(DEBIAN.glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    folders = [*newest_first, *([Path(on_path).parent] if on_path else [])]
    return next((each for each in folders if (each / "postgres").exists()), None)


class Postgres:
    """One cluster, and the server that runs it.

    It refuses to run as root, so a root starts it as somebody else. Whoever connects
    is believed, and the default collation is not that of bytes, as in many a real
    installation.

    Args:
        settings: of the server, like ``{"fsync": "off"}``.
    """

    def __init__(self, **settings: str) -> None:
        folder = binaries()
        assert folder is not None, "PostgreSQL is not installed"
        self._binaries, self._settings = folder, settings
        self._home = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self._home, _somebody())
        self._make_cluster()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        given = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._home),
            **self._settings,
        }
        options = [part for each in given.items() for part in ("-c", "=".join(each))]
        command = [self._program("postgres"), "-D", str(self._home / "data"), *options]
        with (self._home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._home, **self._who()
            )
        eventually(self._is_ready, within=30, what="PostgreSQL takes connections")

    def configure(self, **settings: str) -> None:
        """Change settings of the server; they hold from the next start on."""
        self._settings |= settings

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends every session first, SIGQUIT ends without a checkpoint."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """Stop, and leave no file behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, database: str, *, user: str = SUPERUSER) -> str:
        """How to reach a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database, empty or a copy, and return its URL."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def install(self, database: str) -> "Installation":
        """Make a database as an operator would: its tables' owner, and who uses them.

        `docs/operations.md` has the same statements.
        """
        for role in (OWNER, USER):
            if not self.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                self.execute(f"CREATE ROLE {role} LOGIN")
        self.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
        self.execute(
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER}"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {USER}",
            database=database,
        )
        return Installation(
            self.url(database, user=OWNER), self.url(database, user=USER)
        )

    def execute(
        self, statement: str, *values: str, database: str = SUPERUSER
    ) -> Sequence[tuple[Any, ...]]:
        """Run statements as the superuser, and return the rows of the first."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            done = connection.execute(statement.encode(), values or None)
            return done.fetchall() if done.description else []

    def log(self) -> str:
        """What the server has written so far."""
        return (self._home / "log").read_text()

    def _make_cluster(self) -> None:
        command = [
            self._program("initdb"),
            *("-D", str(self._home / "data")),
            *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"),
            "--no-sync",
        ]
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._home,  # a root's own folder may be closed to who runs it
            **self._who(),
        )
        assert made.returncode == 0, made.stderr

    def _who(self) -> Account:
        """Name who runs it, unless we may ourselves."""
        return {"user": _somebody(), "extra_groups": ()} if os.geteuid() == 0 else {}

    def _program(self, name: str) -> str:
        return str(self._binaries / name)

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()[-4000:]
        try:
            psycopg.connect(self.url(SUPERUSER), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdecimal() else 0


def _somebody() -> str:
    """Name an account without rights: PostgreSQL's own, if there is one."""
    known = {each.pw_name for each in pwd.getpwall()}
    return SUPERUSER if SUPERUSER in known else "nobody"
