from app.engine.upkeep import HOUR, Upkeep
from app.store.memory import MemoryStore


class Housework(MemoryStore):
    """Counts how often it was asked."""

    done = 0

    def maintain(self) -> None:
        self.done += 1


def test_the_housework_is_done_once_an_hour():
    now = [0.0]
    store = Housework()
    upkeep = Upkeep(store, clock=lambda: now[0])

    for now[0] in (1, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR - 1):
        upkeep.look()
    assert store.done == 1

    now[0] = 2 * HOUR
    upkeep.look()
    assert store.done == 2
