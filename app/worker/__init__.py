"""``python -m app worker``: a process that executes what others accept."""

from app.worker.life import main

__all__ = ["main"]
