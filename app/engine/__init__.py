"""Queued and run."""
