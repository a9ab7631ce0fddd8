"""The store in memory: the twin for tests and demos."""

from app.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
