"""A small application that the real worker serves in the tests."""

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flask import Flask, Response, request


def say(step):
    sys.stdout.write(f"engine: {step}\n")
    sys.stdout.flush()


class SampleEngine:
    """Counts its executions down; tells what it was asked on stdout."""

    def __init__(self, seconds):
        self._until = time.monotonic() + seconds
        self._stop = threading.Event()

    def begin_drain(self):
        say("begin_drain")

    def running(self):
        return int(not self._stop.is_set() and time.monotonic() < self._until)

    def abort(self):
        say("abort")
        self._stop.set()

    def stop(self):
        say("stop")


app = Flask(__name__)
standing: list[Callable[[], None]] = []  # what the main thread is to do
signal.signal(signal.SIGALRM, lambda *_: standing.pop()())


@app.get("/")
def root():
    return "ok"


@app.post("/body")
def body():
    return {"length": len(request.get_data()), "pid": os.getpid()}


@app.get("/wait")
def wait():
    time.sleep(float(request.args["seconds"]))
    return "waited"


class Hold:
    """Requests that are kept until they are released; knows how many there were."""

    def __init__(self):
        self._news = threading.Condition()
        self._inside, self._is_open = 0, False
        self.most = 0

    def stay(self):
        with self._news:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._news.notify_all()
            self._news.wait_for(lambda: self._is_open, 20)
            self._inside -= 1

    def open(self, *, after):
        """Let all go, once so many are inside."""
        with self._news:
            self._news.wait_for(lambda: self._inside >= after, 20)
            self._is_open = True
            self._news.notify_all()


hold = Hold()


@app.get("/hold")
def keep():
    hold.stay()
    return f"held, {hold.most} at most"


@app.get("/release")
def release():
    hold.open(after=int(request.args["after"]))
    return "released"


@app.get("/big")
def big():
    return Response(b"x" * int(request.args["size"]), mimetype="text/plain")


@app.get("/crash")
def crash():
    def pieces():
        yield from ()
        raise RuntimeError("broken on purpose")

    return Response(pieces())


@app.get("/files")
def files():
    kinds = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            kinds.append(str(each.readlink()))
    return {
        "soft": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "sockets": sum(kind.startswith("socket:") for kind in kinds),
    }


@app.get("/stand-still")
def stand_still():
    """Keep the main thread, which runs the event loop, for so long."""
    seconds = float(request.args["seconds"])

    def keep(*_):
        time.sleep(seconds)

    standing.append(keep)
    os.kill(os.getpid(), signal.SIGALRM)
    return "asked"


@app.get("/freeze")
def freeze():
    """Hold the GIL, so that nothing else runs in this process."""
    ctypes.PyDLL(None).usleep(int(float(request.args["seconds"]) * 1e6))
    return "thawed"


def start():
    if os.environ.get("SAMPLE_BROKEN_START"):
        raise RuntimeError("the sample engine is broken on purpose")
    app.extensions["drain"] = SampleEngine(float(os.environ.get("SAMPLE_RUN", "0")))
    if os.environ.get("SAMPLE_STUCK"):
        threading.Thread(target=time.sleep, args=(60,)).start()


def caller(_, fields, __):
    """Whoever says who he is takes turns."""
    return dict(fields).get("AUTHORIZATION")


app.extensions["start"] = start
app.extensions["caller"] = caller
