"""The Dockerfile, read rather than built: no engine is needed for this."""

import json
import re

from tests.deploy.dockerfile import TEXT, copied, instructions, last, settings
from tests.deploy.units import ROOT

SECRETS = re.compile(r"SECRET|KEY|TOKEN|PASSWORD|DATABASE_URL")


def test_it_runs_as_nobody_in_particular_with_a_numeric_id():
    user, group = last("USER").split(":")

    assert int(user) > 999
    assert int(group) > 999
    assert f"install -d -o {user} -g {group} -m 0700 /data" in last("RUN")
    following = [name for name, _ in instructions()]
    assert "RUN" not in following[following.index("USER") :]


def test_it_stops_by_sigterm_and_says_how_long_to_wait():
    assert last("STOPSIGNAL") == "SIGTERM"
    assert "--stop-timeout 45" in TEXT
    assert "--read-only" in TEXT


def test_its_commands_are_in_exec_form_so_that_signals_arrive():
    assert json.loads(last("CMD")) == [
        *("python", "-m", "gunicorn"),
        *("--config", "gunicorn.conf.py", "wsgi:app"),
    ]
    _, _, check = last("HEALTHCHECK").partition("CMD ")
    assert json.loads(check) == ["python", "deploy/healthcheck.py"]


def test_it_says_that_it_has_not_been_built():
    assert "has not been built" in TEXT.split("FROM")[0]


def test_it_installs_only_what_is_pinned_and_compiles_nothing():
    [install] = [rest for _, rest in instructions() if "pip install" in rest]

    assert install.endswith("--only-binary=:all: --requirement requirements.txt")


def test_its_python_is_a_slim_one_of_3_12_or_newer():
    bases = [rest.split()[0] for name, rest in instructions() if name == "FROM"]

    assert len(set(bases)) == 1
    found = re.fullmatch(r"python:3\.(\d+)-slim-\w+", bases[0])
    assert found
    assert int(found[1]) >= 12


def test_no_secret_is_built_in_and_only_data_is_written():
    assert not [name for name in settings() if SECRETS.search(name)]
    assert not [rest for name, rest in instructions() if name == "ARG"]
    assert settings()["SLUICE_ENV"] == "production"
    assert settings()["SLUICE_DATA_DIR"] == last("VOLUME") == "/data"


def test_the_build_is_sent_what_it_copies_and_nothing_else():
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [each for each in ignore if each and not each.startswith("#")]
    allowed = {each.removeprefix("!") for each in rules if each.startswith("!")}

    assert rules[0] == "*"
    assert allowed == copied()
    assert all((ROOT / each).exists() for each in allowed)
