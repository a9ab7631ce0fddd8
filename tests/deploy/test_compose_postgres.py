"""What deploy/compose/postgres.sh makes in an empty PostgreSQL."""

import os
import subprocess
from collections.abc import Mapping

import psycopg
import pytest

from tests.deploy.units import ROOT
from tests.services.postgres import Postgres, binaries

pytestmark = pytest.mark.services

SCRIPT = ROOT / "deploy/compose/postgres.sh"
PASSWORD = 'it\'s "odd" $HOME'


def environment(server: Postgres) -> Mapping[str, str]:
    """What the official image gives the scripts that it runs once."""
    folder = binaries()
    assert folder
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "SLUICE_DB_PASSWORD": PASSWORD,
    }


def test_the_role_owns_its_database_and_is_bound_by_row_level_security(own_postgres):
    subprocess.run(
        ["/bin/sh", str(SCRIPT)], env=environment(own_postgres), check=True, timeout=30
    )

    url = own_postgres.url("sluice", user="sluice")
    with psycopg.connect(url) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        connection.execute("CREATE TABLE probe (id int)")
    assert role == (False, False, False, False)
    [(stored,)] = own_postgres.execute(
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'sluice'"
    )
    assert stored.startswith("SCRAM-SHA-256$")
