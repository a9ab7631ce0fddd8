"""What the image would hold is enough to serve, and serving writes only the data."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.dockerfile import copied, last, settings
from tests.deploy.process import Process, keys
from tests.deploy.units import ROOT
from tests.system.client import post
from tests.system.serving import free_port

pytestmark = pytest.mark.system


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the Dockerfile copies, and nothing else."""
    folder = tmp_path / "image"
    for each in sorted(copied()):
        source, target = ROOT / each, folder / each
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )
        else:
            shutil.copy(source, target)
    return folder


@pytest.fixture
def container(image: Path, tmp_path: Path) -> Iterator[Process]:
    """The image's command in its environment, but for where the data is."""
    env = settings() | keys() | {"SLUICE_DATA_DIR": str(tmp_path / "data")}
    env |= {"PORT": str(free_port()), "SLUICE_BIND": "127.0.0.1"}
    del env["PATH"]  # the image's own interpreter
    one = Process(tmp_path, image, json.loads(last("CMD")), env)
    one.start()
    yield one
    one.close()


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def healthy(container: Process, image: Path) -> int:
    _, _, check = last("HEALTHCHECK").partition("CMD ")
    done = subprocess.run(
        [sys.executable, *json.loads(check)[1:]],
        cwd=image,
        env=container.env,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.returncode


def test_the_files_of_the_image_serve_a_webhook_and_stay_as_they_are(
    container: Process, image: Path
):
    before = tree(image)

    container.await_ready()
    workflow = container.tenant().workflow(
        "In a container", {"id": "note", "uses": "set", "with": {"value": 1}}
    )
    token = workflow["webhook_url"].rpartition("/")[2]

    assert post(f"{container.url}/hooks/{token}", {}).status == 202
    assert healthy(container, image) == 0
    assert container.stop() == 0
    assert healthy(container, image) == 1
    assert tree(image) == before
