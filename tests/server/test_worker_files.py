"""What the worker leaves on the disk."""

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
