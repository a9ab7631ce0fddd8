"""A process of its own that uses a store: ``python -m ... <url> <number>``.

It registers a company, says ``ready``, waits for a line, and then accepts executions,
saying each one's id once it is committed, until it is killed or has made its number.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from queue import Queue

from app.store.sql import SqlStore
from tests.store.company import Company, found, payload

AT_ONCE = 16


def accept(company: Company, number: int) -> Iterator[str]:
    """Keep some additions under way and yield ids in the order of their commits."""
    done: Queue[tuple[str, Future[str]]] = Queue()

    def submit() -> None:
        execution = company.execution()
        future = company.executions.add(execution, payload())
        future.add_done_callback(lambda ended: done.put((execution.id, ended)))

    for _ in range(min(AT_ONCE, number)):
        submit()
    for count in range(number):
        execution_id, future = done.get()
        future.result()
        if count + AT_ONCE < number:
            submit()
        yield execution_id


def main(url: str, number: str) -> None:
    store = SqlStore(url)
    store.start()
    company = found(store)
    print("ready", company.id, flush=True)  # noqa: T201
    sys.stdin.readline()
    for execution_id in accept(company, int(number)):
        print(execution_id, flush=True)  # noqa: T201
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
