"""The bounded worker pool: some threads, and seats for what may wait for one."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from app.domain.errors import full

log = logging.getLogger(__name__)
Job = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """The pool at one instant; `shed` counts refusals since the start."""

    workers: int
    busy: int
    queued: int
    capacity: int
    shed: int


class WorkerPool:
    """`workers` threads, and seats for `queue` more jobs that wait for one.

    Seated jobs are work from outside. Jobs without a seat are owed work and are
    only taken while a thread is idle, so they never stand in the way.
    """

    def __init__(self, *, workers: int, queue: int) -> None:
        self.workers, self.capacity = workers, workers + queue
        self._seats = threading.BoundedSemaphore(self.capacity)
        most = max(1, workers)  # one that has nothing to do is never started
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="execution")
        self._lock = threading.Condition()
        self._pending: dict[Future[object], bool] = {}  # not over yet: has a seat?
        self._busy = {True: 0, False: 0}  # running now, with a seat and without
        self._shed = 0

    def reserve(self) -> "Seat":
        """Take a seat before anything is stored, so a full house leaves no trace.

        Raises:
            Overloaded: every seat is taken.
        """
        if not self._seats.acquire(blocking=False):
            with self._lock:
                self._shed += 1
            raise full()
        return Seat(self, self._seats)

    def idle(self) -> int:
        """Count the threads that nothing runs on and nothing waits for."""
        with self._lock:
            return max(0, self.workers - len(self._pending))

    def wait_idle(self, seconds: float) -> bool:
        """Wait until a thread is idle, at most so long; say whether one is."""
        with self._lock:
            return self._lock.wait_for(
                lambda: len(self._pending) < self.workers, seconds
            )

    def offer(self, job: Job, done: Callable[[], None]) -> bool:
        """Run a job without a seat, but only on a thread that is idle.

        `done` is called when it is over. Returns whether the job was taken.
        """
        try:
            self._submit(job, seated=False, done=done)
        except RuntimeError:  # no idle thread, or the pool is closed
            return False
        return True

    def withdraw(self) -> bool:
        """Cancel one waiting seated job, whose end gives its seat back."""
        with self._lock:
            seated = [each for each, has_seat in self._pending.items() if has_seat]
        return any(each.cancel() for each in reversed(seated))

    def stats(self) -> PoolStats:
        """Count."""
        with self._lock:
            return PoolStats(
                workers=self.workers,
                busy=sum(self._busy.values()),
                queued=sum(self._pending.values()) - self._busy[True],
                capacity=self.capacity,
                shed=self._shed,
            )

    def close(self) -> None:
        """Take nothing more; what was taken goes on."""
        self._threads.shutdown(wait=False)

    def join(self) -> None:
        """Wait for what runs, and drop what waits."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _submit(self, job: Job, *, seated: bool, done: Callable[[], None]) -> None:
        with self._lock:
            if not seated and len(self._pending) >= self.workers:
                raise RuntimeError("no thread is idle")
            future: Future[object] = self._threads.submit(self._work, job, seated)
            self._pending[future] = seated
        future.add_done_callback(lambda each: self._over(each, done))

    def _work(self, job: Job, seated: bool) -> object:  # noqa: FBT001
        with self._lock:
            self._busy[seated] += 1
        try:
            return job()
        finally:
            with self._lock:
                self._busy[seated] -= 1

    def _over(self, future: "Future[object]", done: Callable[[], None]) -> None:
        with self._lock:
            self._pending.pop(future, None)
            self._lock.notify_all()
        done()
        if not future.cancelled() and (error := future.exception()):
            log.error("Job broke", exc_info=error)


class Seat:
    """The right to run one job; given back when the job ends, or by `free`."""

    def __init__(self, pool: WorkerPool, seats: threading.BoundedSemaphore) -> None:
        self._pool, self._seats = pool, seats

    def run(self, job: Job) -> None:
        """Run the job on a free thread, or as soon as there is one.

        Raises:
            RuntimeError: the pool is closed; the seat is free again.
        """
        try:
            self._pool._submit(job, seated=True, done=self.free)  # noqa: SLF001
        except RuntimeError:
            self.free()
            raise

    def free(self) -> None:
        """Give the seat back unused."""
        self._seats.release()
