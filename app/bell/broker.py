"""How Redis is reached, and what a ring is.

Only the store knows what there is to do. A ring says that somebody should look; Redis
may lose it, repeat it or hold it back.
"""

import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

NAMESPACE = "sluice"
QUEUE = ACTOR = "work"
CONNECT, ANSWER = 0.5, 1.0  # seconds that whoever rings waits for Redis
MAINTENANCE = 1_000_000  # of a million commands: what a dead worker held is freed soon


def ringing(url: str) -> RedisBroker:
    """Make a broker that fails fast and never tries again by itself."""
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT,
        socket_timeout=ANSWER,
        retry=Retry(NoBackoff(), 0),
    )
    return _broker(client)


def listening(url: str) -> RedisBroker:
    """Make a broker that waits out a short outage."""
    return _broker(redis.Redis.from_url(url))


def ring(broker: RedisBroker) -> None:
    """Leave one message that says only that there is work.

    Raises:
        redis.RedisError: it may be there or not.
    """
    message = Message[None](
        queue_name=QUEUE, actor_name=ACTOR, args=(), kwargs={}, options={}
    )
    broker.enqueue(message)


def waiting(broker: RedisBroker) -> int:
    """Count the rings that nobody has answered yet.

    Raises:
        redis.RedisError: Redis does not tell.
    """
    return int(broker.client.hlen(f"{NAMESPACE}:{QUEUE}.msgs"))


def _broker(client: redis.Redis) -> RedisBroker:
    # no middleware: nothing is retried, timed, aged or counted by the broker
    return RedisBroker(  # type: ignore[no-untyped-call]  # dramatiq gives it none
        client=client,
        middleware=[],
        namespace=NAMESPACE,
        maintenance_chance=MAINTENANCE,
    )
