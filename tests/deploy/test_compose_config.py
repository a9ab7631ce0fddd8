"""The compose file, as docker-compose itself understands it; no engine is needed."""

import re
from pathlib import Path

import pytest

from tests.deploy.compose import config, needs_compose, understood, variables, written

pytestmark = [pytest.mark.system, needs_compose]
SECRETS = re.compile(r"SECRET|KEYS|TOKEN|PASSWORD")


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An `.env` file that is filled in."""
    path = tmp_path / ".env"
    path.write_text(
        "".join(f"{name}=value-of-{name.lower()}\n" for name in variables())
    )
    return path


def test_docker_compose_accepts_it_when_the_example_is_filled_in(env: Path):
    services = understood(env)

    assert set(services) == set(written())
    url = services["worker"]["environment"]["DATABASE_URL"]
    assert url == (
        "postgresql://sluice:value-of-sluice_db_password@postgres:5432/sluice"
    )


@pytest.mark.parametrize("name", [each for each in variables() if SECRETS.search(each)])
def test_a_secret_that_is_not_filled_in_stops_it_with_a_word_about_it(
    env: Path, name: str
):
    env.write_text(re.sub(rf"^{name}=.*\n", "", env.read_text(), flags=re.MULTILINE))

    refused = config(env)

    assert refused.returncode != 0
    assert "set it in deploy/.env" in refused.stderr
