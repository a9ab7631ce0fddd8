"""What a process has a child do for it."""

import subprocess
import sys


def told_by(program: str) -> list[str]:
    """Run a program and return the lines that it and its children wrote."""
    done = subprocess.run(
        [sys.executable, "-c", f"from app.server.process import do_apart\n{program}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_what_is_done_apart_is_done_and_forgotten():
    program = """
import sys
def work():
    import fractions
    print("worked", flush=True)
do_apart(work)
print("fractions" in sys.modules)
"""
    assert told_by(program) == ["worked", "False"]


def test_what_fails_apart_fails_without_a_word():
    assert told_by("do_apart(lambda: 1 / 0)\nprint('goes on')") == ["goes on"]


def test_a_process_with_threads_has_no_child():
    program = """
import threading
over = threading.Event()
thread = threading.Thread(target=over.wait)
thread.start()
do_apart(lambda: print("worked", flush=True))
over.set()
thread.join()
"""
    assert told_by(program) == []
