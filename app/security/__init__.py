"""Signatures, keys, passwords, addresses."""
