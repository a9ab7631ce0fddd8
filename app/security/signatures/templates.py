"""What a signature is made over, written as a text with named parts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

PARTS = frozenset({"{body}", "{ts}", "{id}", "{url}"})
_SPLIT = re.compile(r"(\{[^{}]*\})")


@dataclass(frozen=True, slots=True)
class Template:
    """For example ``v0:{ts}:{body}``."""

    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template.

        Raises:
            ValueError: it holds braces that name no part.
        """
        pieces = tuple(each for each in _SPLIT.split(text) if each)
        for each in pieces:
            if each not in PARTS and ("{" in each or "}" in each):
                known = ", ".join(sorted(PARTS))
                raise ValueError(f"may hold only these parts in braces: {known}")
        return cls(pieces)

    @property
    def parts(self) -> frozenset[str]:
        """The named parts it holds."""
        return PARTS & frozenset(self.pieces)

    @property
    def literals(self) -> tuple[bytes, ...]:
        """The texts between its named parts."""
        return tuple(each.encode() for each in self.pieces if each not in PARTS)

    @property
    def is_plain(self) -> bool:
        """Whether an id, of any length, cannot run into the part after it."""
        pairs = pairwise(self.pieces)
        return not any(a == "{id}" and b in PARTS for a, b in pairs)

    def fill(self, parts: Mapping[str, bytes]) -> bytes:
        """Put the parts together, byte for byte."""
        return b"".join(
            parts[each] if each in PARTS else each.encode() for each in self.pieces
        )


BODY = Template.parse("{body}")
