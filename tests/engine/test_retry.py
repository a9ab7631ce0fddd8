"""How long to wait before trying again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.retry import backoff, wait_before


@given(attempt=st.integers(1, 200))
def test_waits_at_most_the_doubled_base_and_the_ceiling(attempt):
    wait = backoff(attempt, base=0.5, ceiling=30)

    assert 0 <= wait <= min(30, 0.5 * 2 ** (attempt - 1))


def test_has_no_wait_before_the_first_attempt():
    with pytest.raises(ValueError, match="not 0"):
        backoff(0)


def test_waits_as_long_as_the_other_side_asked_for():
    assert wait_before(1, base=0.5, ceiling=1, asked=20) == 20


def test_waits_no_longer_than_an_hour_whoever_asks():
    assert wait_before(1, base=0.5, ceiling=1, asked=1e9) == 3600


def test_waits_its_own_time_when_nobody_asked():
    assert wait_before(1, base=0.5, ceiling=1, asked=None) <= 0.5
