"""The simulation behind docs/scaling.md."""

import importlib.util
from types import ModuleType

import pytest

from tests.deploy.units import ROOT


@pytest.fixture(scope="module")
def cells() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cells", ROOT / "bench/cells.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("place", ["by_hash", "by_load"])
def test_placing_loses_and_invents_nothing(cells: ModuleType, place: str):
    pieces = cells.split(cells.tenants(1e6), 1.0)

    loads = getattr(cells, place)(pieces, 7)

    assert len(loads) == 7
    assert sum(loads) == pytest.approx(1e6 / 86_400 * cells.PEAK)
    assert max(each.rate for each in pieces) <= 1.0 * cells.WHALE


def test_one_cell_fewer_than_needed_is_too_few(cells: ModuleType):
    pieces = cells.split(cells.tenants(1e6), 2.0)

    for place in (cells.by_hash, cells.by_load):
        found = cells.needed(pieces, 2.0, place)
        assert (
            max(place(pieces, found))
            <= 2.0 * cells.FILL
            < max(place(pieces, found - 1))
        )


@pytest.mark.system
def test_the_page_shows_what_the_simulation_prints(cells: ModuleType):
    assert cells.table() in (ROOT / "docs/scaling.md").read_text()
