"""What the worker leaves on the disk and in memory."""

import stat
import subprocess
import sys


def test_nobody_else_may_read_what_the_worker_makes(tmp_path):
    made = tmp_path / "made"
    program = (
        "import pathlib, sys; from app.server import process;"
        " process.write_privately(); pathlib.Path(sys.argv[1]).touch()"
    )

    subprocess.run([sys.executable, "-c", program, made], check=True, umask=0o022)

    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_no_core_file_and_in_production_no_look_into_the_process():
    program = (
        "import ctypes, resource; from app.server import process;"
        " process.keep_secrets(sealed={sealed});"
        " print(*resource.getrlimit(resource.RLIMIT_CORE),"
        " ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    told = {
        sealed: subprocess.run(
            [sys.executable, "-c", program.format(sealed=sealed)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for sealed in (True, False)
    }

    assert told == {True: ["0", "0", "0"], False: ["0", "0", "1"]}


def test_what_a_start_has_made_is_not_looked_through_again():
    program = (
        "import gc; from app.server import process; process.settle();"
        " print(gc.get_freeze_count() > 1000, gc.get_threshold()[0])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout.split() == ["True", "10000"]


def test_what_was_large_is_given_back_whatever_was_given_back_before():
    program = """
from pathlib import Path
from threading import Thread
from app.server import process

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def hold():
    for _ in range(3):
        b"x" * (19 << 20)

process.save_memory()
before = resident()
threads = [Thread(target=hold) for _ in range(2)]
for each in threads:
    each.start()
    each.join()
print(resident() - before)
"""

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert int(done.stdout) < 10 << 20
