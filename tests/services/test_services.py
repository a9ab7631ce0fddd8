"""The services that other tests start are what they say."""

import signal

import pytest

pytestmark = pytest.mark.services


def test_postgresql_keeps_what_is_committed_when_it_is_stopped_at_once(own_postgres):
    url = own_postgres.create("kept")
    own_postgres.execute("CREATE TABLE facts AS SELECT 7 AS n", database="kept")

    own_postgres.stop(signal.SIGQUIT)
    own_postgres.start()

    assert own_postgres.execute("SELECT n FROM facts", database="kept") == [(7,)]
    assert url.endswith(f"@127.0.0.1:{own_postgres.port}/kept")


def test_the_shared_postgresql_sorts_text_like_people_and_not_like_bytes(postgres):
    assert postgres.execute("SELECT 'a' < 'B', 'a' < 'B' COLLATE \"C\"") == [
        (True, False)
    ]


def test_a_redis_that_is_killed_comes_back_empty(redis):
    assert redis.say("SET bell rung") == "+OK"

    redis.kill()
    redis.start()

    assert redis.say("EXISTS bell") == ":0"
