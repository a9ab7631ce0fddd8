"""An application that stops working when a file appears."""

import os
from pathlib import Path

from tests.server.sample_app import app

if Path(os.environ["SAMPLE_POISON"]).exists():
    raise RuntimeError("this version of the application is broken on purpose")

__all__ = ["app"]
