"""Executions lie by the week in which they came, and none is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.domain import times
from app.domain.times import to_ms
from app.store.protocol import ExecutionFilter
from app.store.sql import partitions
from app.store.sql.tenancy import ALL
from tests.store.company import found, step

pytestmark = pytest.mark.services
WEEK = timedelta(weeks=1)


@pytest.fixture
def store(place):
    place.migrate()
    one = place.open()
    yield one
    one.close()


@pytest.fixture
def company(store):
    return found(store)


def parts(place, parent):
    """The partitions of a table, from the first week to the default one."""
    listed = place.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = CAST(%s AS regclass) ORDER BY 1",
        parent,
    )
    return [name for (name,) in listed]


def used(place, parent):
    """The partitions that have rows."""
    where = "SELECT DISTINCT tableoid::regclass::text FROM"
    listed = place.execute(f"{where} {parent}")
    return [name for (name,) in listed]


def make(store, since, until):
    return store._writer.run(lambda c: partitions.make(c, since, until), of=ALL)


def id_at(instant):
    return f"exec_{to_ms(instant):012x}7000a59a1f26f537f1ac"


def test_this_week_and_those_to_come_have_partitions(place, store):
    for parent in partitions.PARENTS:
        [*weeks, default] = parts(place, parent)
        assert default == f"{parent}_default"
        assert len(weeks) == 5


def test_what_comes_in_lies_in_the_partition_of_its_week(place, company):
    company.finish(company.run(), steps=[step("a")])

    for parent in partitions.PARENTS:
        assert used(place, parent) == parts(place, parent)[:1]


def test_what_fits_no_partition_is_kept_all_the_same(place, company):
    last, first = (company.accept(id=f"exec_{digit * 32}") for digit in "f0")
    between = company.accept()

    assert used(place, "executions").count("executions_default") == 1
    listed = company.executions.list(
        company.id, ExecutionFilter(), limit=9, before=None
    )
    assert listed == [company.now(each) for each in (last, between, first)]


def test_a_partition_that_comes_too_late_leaves_rows_where_they_are(
    place, store, company
):
    in_a_year = times.now() + 52 * WEEK
    early = company.accept(id=id_at(in_a_year))

    assert make(store, in_a_year, in_a_year) == 1  # of steps: there are none
    assert used(place, "executions") == ["executions_default"]
    assert company.now(early) == early


def test_they_are_made_once_whoever_asks(place, store):
    others = [place.open() for _ in range(3)]
    since = times.now() + 10 * WEEK

    with ThreadPoolExecutor(3) as threads:
        made = sum(threads.map(lambda each: make(each, since, since + WEEK), others))

    assert made == 2 * len(partitions.PARENTS)
    assert make(store, since, since + WEEK) == 0
    for each in others:
        each.close()


def test_the_housework_makes_what_is_missing(place, store):
    last = parts(place, "steps")[-2]
    place.execute(f"DROP TABLE {last}")

    store.maintain()

    assert parts(place, "steps")[-2] == last
