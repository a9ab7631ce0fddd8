"""Credentials: secrets of a tenant, known by name and never shown again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# The fields of each type; of what is to come, only the names are known.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "secret": ("value",),
    "slack": ("url",),
    "discord": ("url",),
}
LATER = ("bearer", "basic", "header", "query", "smtp", "twilio", "oauth2", "generic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential; each of its fields is sealed for itself."""

    tenant_id: str
    id: str
    name: str  # what definitions call it by; unique in the tenant
    type: str
    workflow_id: str | None  # the one it was written into; None: made on its own
    sealed: Mapping[str, bytes] = field(repr=False)
    created_at: datetime
    updated_at: datetime
