"""What webhooks take out of buckets that several processes share.

A bucket is a tally: the instant at which it is full again, in `ready_at` to the
millisecond, and the microseconds on top of that in `count`.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, update

from app.domain.errors import RateLimited
from app.domain.pace import MICRO, Charge
from app.store.sql.account_tables import tries
from app.store.sql.prepared import Prepared
from app.store.sql.rows import Values
from app.store.sql.spelling import Now
from app.store.sql.upserts import insert_or_touch

JITTER = 0.005  # seconds by which two transactions may read the clocks differently
MINUTE = 60_000  # milliseconds; an index that hardly ever changes costs less
WRITE = Prepared(
    update(tries)
    .where(tries.c.key == bindparam("of"))
    .values(
        count=bindparam("micros"),
        ready_at=bindparam("millis"),
        expires_at=bindparam("expires"),
    )
)


class Tolls:
    """The buckets of one transaction, locked from `read` until its end."""

    def __init__(self) -> None:
        self._full_at: dict[bytes, float] = {}  # seconds since 1970
        self._changed: set[bytes] = set()
        self._offset = 0.0  # from this process's clock to the database's

    def read(self, connection: Connection, charges: Iterable[Charge]) -> None:
        """Lock the buckets that will be asked for."""
        keys = {each.key for each in charges}
        if not keys:
            return
        empty = {"count": 0, "ready_at": 0, "expires_at": 0}
        # in one order in every process, or two would wait for each other
        rows = [{"key": each, **empty} for each in sorted(keys)]
        lock = insert_or_touch(tries, "count").values(rows)
        made = tries.c.count.label("made")  # a row has a method with the column's name
        found = connection.execute(
            lock.returning(tries.c.key, made, tries.c.ready_at, Now().label("now"))
        ).all()
        self._full_at = {
            each.key: each.ready_at / 1000 + each.made / MICRO for each in found
        }
        self._offset = max(each.now for each in found) / 1000 - time.monotonic()

    def take(self, charges: Sequence[Charge]) -> RateLimited | None:
        """Take a webhook out of all of its buckets; or out of none, and say why.

        It counts as at its coming: a commit that takes long refuses nobody.
        """
        try:
            after = {
                each.key: each.pace.after(
                    self._full_at[each.key], each.at + self._offset, JITTER
                )
                for each in charges
            }
        except RateLimited as error:
            return error
        self._full_at |= after
        self._changed.update(after)
        return None

    def write(self, connection: Connection) -> None:
        """Keep what was taken."""
        if self._changed:
            rows = [_row(each, self._full_at[each]) for each in sorted(self._changed)]
            WRITE.run(connection, rows)


def _row(key: bytes, full_at: float) -> Values:
    millis, micros = divmod(round(full_at * MICRO), 1000)
    expires = (millis // MINUTE + 2) * MINUTE
    written: dict[str, Any] = {"of": key, "micros": micros, "millis": millis}
    return {**written, "expires": expires}
