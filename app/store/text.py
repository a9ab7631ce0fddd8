"""Text that every store can keep: no U+0000, no half of a surrogate pair."""

from dataclasses import replace

from app.domain.errors import Invalid
from app.domain.execution import Failure


def storable(text: str) -> bool:
    """Tell whether a text can be stored, and so be found, in any database."""
    return "\0" not in text and _is_unicode(text)


def check(what: str, text: str) -> None:
    """Refuse a text that no database would give back.

    Raises:
        Invalid: it holds U+0000 or a lone surrogate.
    """
    if not storable(text):
        raise Invalid(
            f"{what} holds U+0000 or half of a surrogate pair,"
            " which cannot be stored; leave that character out"
        )


def clean(failure: Failure | None) -> Failure | None:
    """Replace what cannot be stored in a message, which may quote a stranger."""
    if failure is None or storable(failure.message):
        return failure
    kept = failure.message.encode(errors="replace").decode()
    return replace(failure, message=kept.replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
