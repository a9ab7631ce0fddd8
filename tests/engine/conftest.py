import pytest

from tests.engine.rig import Rig


@pytest.fixture
def make_rig(tmp_path):
    rigs = []

    def make(**options):
        rigs.append(Rig(tmp_path, **options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.outside.open.set()
        rig.pool.join()


@pytest.fixture
def rig(make_rig):
    return make_rig(queue=10)
