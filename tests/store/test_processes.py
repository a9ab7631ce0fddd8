"""Who may own executions, for how long, and what all of them can take."""

from app.domain.process import Crew
from tests.store.company import HERE, LATER, THERE, process, worker

LONG, OVER = 60.0, 0.0  # seconds of a lease


def test_a_process_sees_the_others(store):
    store.processes.add(process(HERE))
    store.processes.add(process(THERE))

    assert store.processes.others(HERE) == [THERE]
    assert store.processes.others(THERE) == [HERE]
    assert store.processes.others("third") == [HERE, THERE]


def test_who_does_not_know_a_key_is_told(store):
    store.processes.add(process(HERE, keys=("new", "old")))
    store.processes.add(process(THERE, keys=("old",)))
    store.processes.add(process("third"), lease=LONG)
    store.processes.add(process("fourth"), lease=OVER)

    assert store.processes.without("new") == [THERE, "third"]
    assert store.processes.without("old") == ["third"]


def test_a_process_may_be_added_again(store):
    store.processes.add(process(HERE))
    store.processes.add(process(HERE, started_at=LATER))

    assert store.processes.others(THERE) == [HERE]


def test_a_removed_process_is_forgotten_and_again_is_no_error(store):
    store.processes.add(process(HERE))

    store.processes.remove(HERE)
    store.processes.remove(HERE)

    assert store.processes.others(THERE) == []


def test_a_lease_that_has_run_out_is_taken_away_and_told_of_again(store):
    store.processes.add(process(HERE), lease=LONG)
    store.processes.add(process(THERE), lease=OVER)
    store.processes.add(process("third"), lease=OVER)

    assert store.processes.expire(HERE) == [THERE, "third"]
    assert store.processes.expire("fourth") == [THERE, "third"]

    store.processes.remove(THERE)
    assert store.processes.expire(HERE) == ["third"]


def test_nobody_takes_away_his_own_lease_or_that_of_who_has_none(store):
    store.processes.add(process(HERE), lease=OVER)
    store.processes.add(process(THERE))

    assert store.processes.expire(HERE) == []


def test_a_lease_is_extended_also_when_it_has_run_out_but_was_not_taken(store):
    store.processes.add(process(HERE), lease=OVER)

    assert store.processes.extend(HERE, lease=LONG)
    assert store.processes.expire(THERE) == []


def test_a_lease_that_was_taken_away_never_comes_back(store):
    store.processes.add(process(HERE), lease=OVER)
    store.processes.expire(THERE)

    assert not store.processes.extend(HERE, lease=LONG)
    assert store.processes.expire(THERE) == [HERE]


def test_who_is_not_remembered_or_has_no_lease_has_nothing_to_extend(store):
    store.processes.add(process(THERE))

    assert not store.processes.extend(HERE, lease=LONG)
    assert not store.processes.extend(THERE, lease=LONG)


def test_the_crew_counts_the_workers_that_live(store):
    store.processes.add(worker("one", workers=3, queue=5), lease=LONG)
    store.processes.add(worker("two", workers=2, queue=0))  # a lock tells of its life
    store.processes.add(worker("dead"), lease=OVER)
    store.processes.add(process("web"), lease=LONG)

    assert store.processes.crew() == Crew(workers=5, capacity=10, busy=0, queued=0)


def test_a_worker_that_takes_nothing_more_is_counted_no_longer(store):
    store.processes.add(worker("one", workers=3, queue=5))

    store.processes.retire("one")
    store.processes.retire("nobody")

    assert store.processes.crew() == Crew(workers=0, capacity=0, busy=0, queued=0)
    assert store.processes.others(HERE) == ["one"]


def test_the_crew_counts_what_runs_and_of_what_waits_the_seated(company):
    company.store.processes.add(worker(THERE, workers=1, queue=4))
    company.accept()
    company.accept(owner=None, seat=HERE)
    company.run()
    company.finish(company.run(seat=HERE))

    assert company.store.processes.crew() == Crew(
        workers=1, capacity=5, busy=1, queued=1
    )
