"""What a person does first: the commands of README.md, as they stand there."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.client import Api, send
from tests.system.serving import KEPT, ROOT, Server, free_port
from tests.system.waiting import eventually

pytestmark = pytest.mark.system

README = (ROOT / "README.md").read_text()
SERVE = "make run\n"
MARK = "--- next ---"


def blocks(kind: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def environment(**settings: str) -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ} | settings


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of what `make run` serves."""
    port = str(free_port())
    settings = environment(PORT=port, SLUICE_DATA_DIR=str(tmp_path / "data"))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=ROOT,
            env=settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://localhost:{port}"
    try:
        eventually(
            lambda: process.poll() is not None or answers(url),
            within=60,
            what="make run serves",
        )
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(45)


def answers(url: str) -> bool:
    try:
        return send("GET", f"{url}/health/ready").status == 200
    except OSError:
        return False


def run(script: str, settings: dict[str, str]) -> list[str]:
    """Run blocks in one shell, as they are pasted, and return what each printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(MARK)


def test_the_commands_of_the_readme_work_when_pasted_in_order(served: str):
    first, *commands = blocks("bash")
    assert first == SERVE
    assert commands[0].startswith("SLUICE=http://localhost:8000\n")
    commands[0] = commands[0].replace("http://localhost:8000", served)

    told = run(f"echo '{MARK}'\n".join(commands), environment())

    _, hook, _, finished, refused, _, joined = told
    assert hook.strip().startswith(f"{served}/hooks/")
    execution = json.loads(finished)
    assert execution["status"] == "success"
    assert [each["status"] for each in execution["steps"]] == ["success"] * 2
    assert execution["steps"][0]["output"] == "octocat opened #7"
    [shown] = map(json.loads, blocks("json"))
    problem = json.loads(refused)
    assert shown["status"] == problem["status"]
    pointers = [each["pointer"] for each in problem["errors"]]
    assert shown["errors"][0]["pointer"] in pointers
    assert len(pointers) == 2
    assert json.loads(joined)["user"]["email"] == "colleague@example.com"
    assert json.loads(joined)["role"] == "editor"


def call(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_make_demo_prints_a_finished_execution_and_touches_no_data(tmp_path: Path):
    before = sorted(ROOT.glob("data/**/*"))

    done = call("make", "--silent", "demo", TMPDIR=str(tmp_path))

    assert done.returncode == 0, done.stderr
    execution = json.loads(done.stdout)
    assert execution["status"] == "success"
    assert [each["id"] for each in execution["steps"]] == ["text", "tell"]
    assert "the receiver got: octocat opened #7 in octocat/sluice" in done.stderr
    assert sorted(ROOT.glob("data/**/*")) == before
    assert list(tmp_path.iterdir()) == []


DEMO = (sys.executable, "-m", "app", "demo", "--url")


def test_the_demo_runs_against_a_server_that_is_there(shared: Server, shared_api: Api):
    assert shared_api.key

    done = call(*DEMO, shared.url, SLUICE_API_KEY=shared_api.key)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "success"


@pytest.mark.parametrize(
    ("key", "code", "message"),
    [("wrong", 1, "401"), ("", 2, "needs an API key in SLUICE_API_KEY")],
    ids=["wrong key", "no key"],
)
def test_a_demo_that_may_not_use_a_server_says_why(
    shared: Server, key: str, code: int, message: str
):
    done = call(*DEMO, shared.url, SLUICE_API_KEY=key)

    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_without_a_server_says_so():
    done = call(*DEMO, f"http://127.0.0.1:{free_port()}", SLUICE_API_KEY="any")

    assert done.returncode == 1
    assert "refused" in done.stderr
    assert "Traceback" not in done.stderr
