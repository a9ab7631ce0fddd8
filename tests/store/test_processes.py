from tests.store.company import HERE, LATER, NOON, THERE


def test_a_process_sees_the_others(store):
    store.processes.add(HERE, at=NOON)
    store.processes.add(THERE, at=NOON)

    assert store.processes.others(HERE) == [THERE]
    assert store.processes.others(THERE) == [HERE]
    assert store.processes.others("third") == [HERE, THERE]


def test_a_process_may_be_added_again(store):
    store.processes.add(HERE, at=NOON)
    store.processes.add(HERE, at=LATER)

    assert store.processes.others(THERE) == [HERE]


def test_a_removed_process_is_forgotten_and_again_is_no_error(store):
    store.processes.add(HERE, at=NOON)

    store.processes.remove(HERE)
    store.processes.remove(HERE)

    assert store.processes.others(THERE) == []
