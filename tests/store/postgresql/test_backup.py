"""The way to back up that `docs/operations.md` tells, and back."""

import os
import subprocess

import pytest
from sqlalchemy import select

from app.store.sql.moving import TABLES
from tests.services import postgres as services
from tests.store.company import found, step

pytestmark = pytest.mark.services


def rows(execute):
    return {each.name: execute(str(select(each))) for each in TABLES}


def run(program, *arguments, **env):
    folder = services.binaries()
    assert folder is not None
    done = subprocess.run(
        [str(folder / program), *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_was_dumped_can_be_restored(place, postgres, tmp_path):
    place.migrate()
    store = place.open()
    for name in ("Acme", "Other"):
        company = found(store, name=name)
        company.finish(company.run(), steps=[step("a")])
    store.close()
    before = rows(place.execute)
    through = {"PGOPTIONS": "-c app.tenant=*"}
    dump = str(tmp_path / "sluice.dump")

    owner = place.installation.owner
    run("pg_dump", "--enable-row-security", "-Fc", "-f", dump, owner, **through)
    new = postgres.install("restored")
    run("pg_restore", "-d", new.owner, dump, **through)

    after = rows(lambda statement: postgres.execute(statement, database="restored"))
    assert after == before
    assert len(after["executions"]) == 2
    store = place.open(new.url)
    store.close()
