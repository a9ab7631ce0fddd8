from contextlib import ExitStack

import pytest

from app.server.framer import Framer
from app.server.limits import Limits
from tests.server import parsing, serving
from tests.server.rig import Rig


@pytest.fixture(scope="session")
def parse():
    return parsing.parser()


@pytest.fixture
def framer(parse):
    return Framer(parse, Limits())


@pytest.fixture
def make_rig(parse):
    with ExitStack() as stack:
        yield lambda **limits: Rig(stack, parse, **limits)


@pytest.fixture
def rig(make_rig):
    return make_rig()


@pytest.fixture
def serve():
    """Start servers of the test's own, and end them with it."""
    started = []

    def start(app=serving.SAMPLE, **env):
        started.append(serving.start(env, app))
        return started[-1]

    yield start
    for each in started:
        each.stop()
