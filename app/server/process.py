"""The worker's process: what files it may open and make, and how it ends."""

import ctypes
import gc
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

PR_SET_DUMPABLE = 4  # linux/prctl.h
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's malloc.h
LARGE = 4 << 20  # bytes: more than a payload, less than a password's hash needs
ARENAS = 2  # parts of the memory, each for one thread at a time
LITTER = 10_000  # new objects until the youngest are looked through for garbage
OPEN_FILES = 4096  # descriptors wanted: 800 connections, the engine's, the store's


def raise_open_files(wanted: int = OPEN_FILES) -> int:
    """Let this process open `wanted` files, as far as the hard limit allows.

    Returns:
        The soft limit that holds now; it is never lowered.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= ceiling:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    return ceiling


def write_privately() -> None:
    """Let nobody else read the files that this process makes."""
    os.umask(0o077)


def keep_secrets(*, sealed: bool) -> None:
    """Leave no core file behind, which would hold keys and payloads.

    Holds for processes that are forked from this one as well.

    Args:
        sealed: let no other process of the same user read this one's memory or the
            environment that it was started with; root always can. No debugger of
            that user can look either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sealed and sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
            number = ctypes.get_errno()
            raise OSError(number, f"prctl: {os.strerror(number)}")


def save_memory() -> None:
    """Keep little of the memory that nobody uses; before there are threads.

    glibc would give threads up to eight arenas for each core, where what one has freed
    serves no other; the interpreter's lock lets hardly more than one allocate anyway.
    And it would keep pieces of any size that it has seen freed once. Another allocator
    is left as it is.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, LARGE)


def settle() -> None:
    """Look through what a start has made for the last time, and for garbage seldom.

    Nearly all that an event leaves behind goes without being looked for. To look
    through everything took a tenth of a second, in which nobody was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(LITTER)


def do_apart(work: Callable[[], object]) -> None:
    """Let a child process do something, and keep none of the memory that it takes.

    To be done once more here: the child tells nobody if it fails. Nothing is done when
    this process has threads, which could hold a lock that the child would wait for.
    """
    if threading.active_count() > 1:
        return
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def leave(*, patience: float = 0.5) -> None:
    """End this process now, without what Python does at the end of one.

    It would join every thread of a `concurrent.futures` pool, for as long as its job
    takes, and spend half a second and more of the drain's last two on freeing memory.
    To be called last, while the exception that ends the process is on its way, since
    its code becomes the process's.

    Args:
        patience: seconds granted to threads that are about to end.
    """
    latest = time.monotonic() + patience
    own = threading.current_thread()
    others = [each for each in threading.enumerate() if each is not own]
    lasting = [each for each in others if not each.daemon]
    for thread in lasting:
        thread.join(max(0.0, latest - time.monotonic()))
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody listens any more
            stream.flush()
    os._exit(exit_code(sys.exception()))


def exit_code(error: BaseException | None) -> int:
    """Tell with which code an exception ends a process."""
    if error is None:
        return 0
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        return (error.code or 0) & 0xFF
    return 1
