"""Workflows and their immutable versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Token:
    """The secret in a webhook's URL, which only the vault can read."""

    hash: bytes  # SHA-256; what it is looked up by
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A workflow as it is now; its definition is that of `version`."""

    tenant_id: str
    id: str
    name: str
    version: int
    is_active: bool
    token: Token  # of its webhook URL
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One saved definition; never changed, only followed by another."""

    tenant_id: str
    workflow_id: str
    number: int
    definition: Definition
    author_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Published:
    """A workflow together with the version that new executions run."""

    workflow: Workflow
    version: Version


@dataclass(frozen=True, slots=True)
class Edited:
    """A workflow before a change and after it."""

    before: Workflow
    after: Published
