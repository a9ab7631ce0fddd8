"""Ids tell their time."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from app.domain import ids, times

FORKING = """
import os
from app.domain import ids

ids.new("exec")  # so that some of what ids are made of is left
os.fork()
os.fork()
os.write(1, f"{ids.new('exec')}\\n".encode())  # at once, whoever else writes
"""


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


def test_processes_that_are_forked_share_no_random_part():
    told = subprocess.run(
        [sys.executable, "-c", FORKING], check=True, capture_output=True, text=True
    )

    made = told.stdout.split()

    assert len(made) == 4
    assert len({each[-15:] for each in made}) == 4
