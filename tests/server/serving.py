"""Runs the shipped gunicorn configuration, as real processes, for tests."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py")
SAMPLE = "tests.server.sample_app:app"
PATIENCE = 20.0  # seconds granted to what should take far less


class Server:
    """One gunicorn master with its workers, on a port of its own."""

    def __init__(self, env, app):
        self._lines = []
        self._news = threading.Condition()
        self._work = tempfile.TemporaryDirectory(prefix="sluice-test-")
        own = {
            "PORT": "0",
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "SLUICE_DATA_DIR": f"{self._work.name}/data",
        }
        self.process = subprocess.Popen(
            [*GUNICORN, app],
            cwd=ROOT,
            env=own | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.pid = self.process.pid
        self.masters = [self.pid]
        assert self.process.stdout
        self._output = self.process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def port(self):
        """Where it listens, once it does."""
        listening = self.wait_for_line("Listening at: ")
        return int(re.findall(r"http://\S+:(\d+) ", listening)[0])

    def log_lines(self):
        """What was written so far that is JSON, parsed."""
        with self._news:
            lines = [*self._lines]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def output(self):
        """What was written so far, as it is."""
        with self._news:
            return "".join(self._lines)

    def wait_for_line(self, part, *, count=1, patience=PATIENCE):
        """Return the last line that holds `part`, once `count` lines do."""
        with self._news:
            found = self._news.wait_for(lambda: self._having(part, count), patience)
        assert found, f"no {part!r} in {patience} s of:\n{self.output()}"
        return found[-1]

    def children(self):
        """Pids of the master's children that live: workers, or a newer master."""
        tasks = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in tasks.split()]

    def send(self, name):
        """Send the master a signal."""
        os.kill(self.pid, getattr(signal, f"SIG{name}"))

    def follow_new_master(self):
        """From now on talk to the master that USR2 started."""
        listening = self.wait_for_line("Listening at: ", count=len(self.masters) + 1)
        self.pid = int(re.findall(r"\((\d+)\)", listening)[0])
        self.masters.append(self.pid)

    def wait(self, patience=PATIENCE):
        """Wait for the end of the first master, and return its exit code."""
        code = self.process.wait(patience)
        if len(self.masters) == 1:
            self._reader.join(2)
        return code

    def ends_within(self, patience):
        """Tell whether every process that can write has ended by then."""
        self._reader.join(patience)
        return not self._reader.is_alive()

    def stop(self):
        """End everything; the output ends with the last process."""
        for pid in self.masters:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        if not self.ends_within(PATIENCE):
            for pid in [*self.children(), *self.masters]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._reader.join(2)
        self._output.close()
        self._work.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _having(self, part, count):
        lines = [line for line in self._lines if part in line]
        return lines if len(lines) >= count else None

    def _read(self):
        for raw in self._output:
            with self._news:
                self._lines.append(raw.decode(errors="replace"))
                self._news.notify_all()


def start(env=None, app=SAMPLE):
    """Start a server and wait until it answers."""
    server = Server(dict(env or {}), app)
    try:
        # the port is open before a worker is there, so one request waits for it
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.port, timeout=PATIENCE
        )
        connection.request("GET", "/", headers={"Connection": "close"})
        connection.getresponse().read()
        connection.close()
    except BaseException:
        server.stop()
        raise
    return server
