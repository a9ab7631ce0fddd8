"""Ids tell their time."""

from datetime import UTC, datetime, timedelta

from app.domain import ids, times


def test_ids_of_an_hour_sort_between_the_least_of_two_times():
    now = times.to_ms(times.now())

    made = ids.new("exec")

    assert ids.least("exec", now - 1000) < made < ids.least("exec", now + 60_000)


def test_the_least_of_a_time_before_all_is_before_all_others():
    first = ids.least("exec", times.to_ms(datetime.min.replace(tzinfo=UTC)))
    last = ids.least("exec", times.to_ms(datetime.max.replace(tzinfo=UTC)))

    assert first == ids.least("exec", 0)
    assert first < ids.new("exec") < last
    assert first < ids.least("exec", times.to_ms(times.EPOCH + timedelta(days=1)))
