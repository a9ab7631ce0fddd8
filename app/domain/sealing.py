"""What is sealed, wherever it is stored, for whoever changes the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of rows that hold something sealed."""

    CREDENTIALS = "credentials"
    WEBHOOKS = "webhooks"
    GRANTS = "grants"
    CONSENTS = "consents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What is sealed in one row."""

    kind: Kind
    tenant_id: str
    key: str | bytes  # of the row, within its tenant
    place: str  # the id that it is bound to
    fields: Mapping[str, bytes] = field(repr=False)
