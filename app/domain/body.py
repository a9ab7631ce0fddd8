"""What a request's body means, by its content type."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from app.domain import jsons

MAX_FIELDS = 1000  # of a form
MAX_HEAD = 8192  # bytes of one part's headers
_KIND = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)  # fit for a message
_CODING = re.compile(r"[\w.+-]{1,20}", re.ASCII)
_PARAMETER = re.compile(
    r';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|([^\s;"]*))', re.DOTALL
)
_CHARSETS = {  # no others: Python's codecs include some that are no text encodings
    "us-ascii": "utf-8",  # which contains it
    "ascii": "utf-8",
    **{name: name for name in ("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be")},
    **{f"iso-8859-{n}": f"iso-8859-{n}" for n in (1, 2, 5, 7, 9, 15)},
    **{f"windows-{n}": f"windows-{n}" for n in range(1250, 1258)},
    **{name: name for name in ("shift_jis", "euc-jp", "euc-kr", "gbk", "big5")},
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body's value, or why it has none; never both."""

    value: Any
    error: str | None = None  # one sentence; it quotes nothing of the body


def decode(body: bytes, content_type: str | None, coding: str | None = None) -> Decoded:
    """Read a body as its content type says; without one, as JSON.

    JSON types give the value, form types an object of strings (repeated names: a
    list of them), ``text/*`` a string. What does not fit has an error instead, and
    so has any other type. Files in a form are left out.

    Args:
        body: the bytes as they came; nothing unpacks them.
        content_type: the header, if there is one.
        coding: the header Content-Encoding, which may be why there is no value.
    """
    kind, parameters = _header(content_type or "")
    try:
        return Decoded(_value(body, kind, parameters))
    except ValueError as error:
        shown = named(kind, "this type" if kind else "JSON")
        why = packed(coding) or error
        return Decoded(None, f"As {shown} the body has no value: {why}.")


def named(kind: str, otherwise: str) -> str:
    """Return a content type if it is fit for a message."""
    return kind if _KIND.fullmatch(kind) else otherwise


def packed(coding: str | None) -> str | None:
    """Say that a Content-Encoding hides the value, if it does."""
    name = (coding or "").strip().lower()
    if name in {"", "identity"}:
        return None
    shown = f" ({name})" if _CODING.fullmatch(name) else ""
    return f"its Content-Encoding{shown} is not opened here; send it plain"


def _value(body: bytes, kind: str, parameters: Mapping[str, str]) -> Any:
    if kind in {"", "application/json"} or kind.endswith("+json"):
        return jsons.parse(body)
    if kind.startswith("text/"):
        return _text(body, parameters)
    if kind == "application/x-www-form-urlencoded":
        return _gather(_form(body, parameters))
    if kind == "multipart/form-data":
        return _gather(_fields(body, parameters.get("boundary", "")))
    raise ValueError("this content type is stored but not parsed")


def _header(text: str) -> tuple[str, dict[str, str]]:
    """Take a header such as Content-Type apart; names and kind in lower case."""
    kind = text.partition(";")[0].strip().lower()
    parameters = {
        found[1].lower(): re.sub(r"\\(.)", r"\1", found[2]) if found[2] else found[3]
        for found in _PARAMETER.finditer(text)
    }
    return kind, parameters


def _charset(parameters: Mapping[str, str]) -> str:
    name = _CHARSETS.get(parameters.get("charset", "utf-8").lower())
    if name is None:
        raise ValueError("its charset is not one that is understood")
    return name


def _text(data: bytes, parameters: Mapping[str, str]) -> str:
    charset = _charset(parameters)
    try:
        return data.decode(charset)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} does not fit into {charset}") from error


def _form(body: bytes, parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            _text(body, parameters),
            keep_blank_values=True,
            encoding=_charset(parameters),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except UnicodeDecodeError as error:
        raise ValueError("an escaped byte does not fit into its charset") from error


def _gather(fields: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in fields:
        gathered.setdefault(name, []).append(value)
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in gathered.items()
    }


def _fields(body: bytes, boundary: str) -> Iterator[tuple[str, str]]:
    """Find the text fields of a multipart form (RFC 7578).

    Not with the standard library's e-mail parser: that recurses into nested parts,
    goes line by line, and never says that a body is cut short.
    """
    if not boundary or not boundary.isascii():
        raise ValueError("the content type names no usable boundary")
    delimiter = b"\r\n--" + boundary.encode()
    _, *parts = (b"\r\n" + body).split(delimiter, MAX_FIELDS + 2)
    if len(parts) > MAX_FIELDS + 1:
        raise ValueError(f"it has more than {MAX_FIELDS} parts")
    if not parts or not parts[-1].startswith(b"--"):
        raise ValueError("its last boundary is missing")
    for part in parts[:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            raise ValueError(f"a part's headers take more than {MAX_HEAD} bytes")
        if not blank or head[:1] not in {b"", b"\r", b" ", b"\t"}:
            raise ValueError("a part has no blank line after its headers")
        yield from _field(head, content)


def _field(head: bytes, content: bytes) -> Iterator[tuple[str, str]]:
    headers: dict[str, tuple[str, dict[str, str]]] = {}
    for line in _text(head, {}).split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = _header(value)
    _, disposition = headers.get("content-disposition", ("", {}))
    kind, parameters = headers.get("content-type", ("", {}))
    is_text = kind in {"", "application/json"} or kind.startswith("text/")
    if "name" in disposition and is_text and "filename" not in disposition:
        yield disposition["name"], _text(content, parameters)
