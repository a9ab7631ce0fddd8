"""What only whole processes can show: death, and sharing a file."""

import itertools
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.store.protocol import ExecutionFilter
from app.store.sql import SqlStore

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[3]


@pytest.fixture
def spawn(tmp_path):
    with ExitStack() as stack:

        def start(number: int) -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.store.sql.child",
                    f"sqlite:///{tmp_path}/store.db",
                    str(number),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        yield start


def ready(child: subprocess.Popen[str]) -> str:
    """Wait for a child to have started and return its tenant's id."""
    assert child.stdout is not None
    word, tenant_id = child.stdout.readline().split()
    assert word == "ready"
    return tenant_id


def go(child) -> None:
    child.stdin.write("go\n")
    child.stdin.flush()


def stored(store, tenant_id: str) -> set[str]:
    """Return the ids of a tenant's executions, after a look into the books."""
    found: set[str] = set()
    before = None
    while page := store.executions.list(
        tenant_id, ExecutionFilter(), limit=200, before=before
    ):
        found.update(each.id for each in page)
        before = page[-1].id
    balance = store.ledger.balance(tenant_id)
    assert balance.received == balance.accounted == len(found)
    return found


@pytest.fixture
def reopen(tmp_path):
    """Opens what the children left."""
    store = SqlStore(f"sqlite:///{tmp_path}/store.db")

    def start():
        store.start()
        return store

    yield start
    store.close()


def test_what_was_acknowledged_survives_a_kill_at_any_instant(spawn, reopen):
    child = spawn(100_000)
    tenant_id = ready(child)
    go(child)
    acknowledged = set(itertools.islice(map(str.strip, child.stdout), 300))

    child.kill()
    acknowledged |= {line.strip() for line in child.stdout if line.endswith("\n")}

    child.wait(timeout=5)
    assert len(acknowledged) >= 300
    assert acknowledged <= stored(reopen(), tenant_id)


def test_two_processes_start_on_one_new_file_and_write_at_once(spawn, reopen):
    children = [spawn(400), spawn(400)]
    tenants = [ready(each) for each in children]
    for each in children:
        go(each)

    written = [set(each.communicate(timeout=30)[0].split()) for each in children]

    assert [each.returncode for each in children] == [0, 0]
    assert [len(each) for each in written] == [400, 400]
    store = reopen()
    assert [stored(store, each) for each in tenants] == written
