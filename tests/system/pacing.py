"""Events at an even pace, from a process of its own.

Whatever else a test does, its threads do not delay the clock that measures the answers.
"""

import http.client
import json
import subprocess
import sys
import time
from statistics import quantiles
from urllib.parse import urlsplit

from tests.system.serving import ROOT


def answered(hook: str, count: int, *, pause: float) -> list[float]:
    """Post so many events, each `pause` after an answer; return seconds, sorted."""
    command = [sys.executable, "-m", "tests.system.pacing", hook, str(count)]
    done = subprocess.run(
        [*command, str(pause)], cwd=ROOT, check=True, capture_output=True, timeout=300
    )
    took: list[float] = json.loads(done.stdout)
    assert len(took) == count
    return sorted(took)


def p99(took: list[float]) -> float:
    return quantiles(took, n=100)[98]


def post(hook: str, count: int, pause: float) -> list[float]:
    """Post on a kept connection; return how long each answer took, seconds."""
    parts = urlsplit(hook)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    took = []
    for number in range(count):
        began = time.monotonic()
        connection.request("POST", parts.path, json.dumps({"number": number}))
        reply = connection.getresponse()
        assert reply.status == 202, reply.read()
        reply.read()
        took.append(time.monotonic() - began)
        time.sleep(pause)
    connection.close()
    return took


if __name__ == "__main__":
    seconds = post(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.write(json.dumps(seconds))
