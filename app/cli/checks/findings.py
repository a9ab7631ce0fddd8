"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report; never with a secret in it.

    Args:
        check: a stable slug.
        level: how bad it is.
        found: what is there.
        expected: what should be there, where it is not.
        advice: what to do about it.
    """

    check: str
    level: Level = Level.OK
    found: str
    expected: str = ""
    advice: str = ""

    def line(self) -> str:
        """Write it for people."""
        told = f"{self.level.value:<8} {self.check:<16} {self.found}"
        if self.expected:
            told += f"; expected {self.expected}"
        return f"{told}. {self.advice}" if self.advice else f"{told}."


def ok(check: str, found: str) -> Finding:
    """Say that all is well."""
    return Finding(check=check, found=found)


def warning(check: str, found: str, *, expected: str, advice: str) -> Finding:
    """Say that something should be looked at."""
    return Finding(
        check=check, level=Level.WARNING, found=found, expected=expected, advice=advice
    )


def problem(check: str, found: str, *, expected: str, advice: str) -> Finding:
    """Say that something must be put right."""
    return Finding(
        check=check, level=Level.PROBLEM, found=found, expected=expected, advice=advice
    )
