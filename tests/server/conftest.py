import pytest

from app.server.framer import Framer
from app.server.limits import Limits
from tests.server import parsing


@pytest.fixture(scope="session")
def parse():
    return parsing.parser()


@pytest.fixture
def framer(parse):
    return Framer(parse, Limits())
