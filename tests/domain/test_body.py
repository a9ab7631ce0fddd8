"""What bodies mean."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import jsons
from app.domain.body import MAX_FIELDS, MAX_HEAD, decode

FORM = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="x y"'


def part(name, value, extra=""):
    return (
        f'--x y\r\nContent-Disposition: form-data; name="{name}"{extra}'
        f"\r\n\r\n{value}\r\n"
    )


def multipart(*parts):
    return ("".join(parts) + "--x y--\r\n").encode()


kinds = st.sampled_from(
    [
        "application/json",
        "text/plain; charset=utf-16",
        "text/plain; charset=shift_jis",
        "text/plain; charset=gbk",
        FORM,
        f"{FORM}; charset=big5",
        MULTIPART,
        "multipart/form-data; boundary=a",
        None,
    ]
)


@given(st.binary(max_size=80), kinds | st.text(max_size=40))
@settings(deadline=None, max_examples=300)
def test_any_bytes_have_a_value_or_a_reason(body, content_type):
    decoded = decode(body, content_type)

    assert decoded.value is None or decoded.error is None
    jsons.encode(decoded.value)


@given(
    st.dictionaries(st.text("abc", min_size=1), st.text(st.characters(codec="utf-8")))
)
@settings(deadline=None, max_examples=100)
def test_what_a_multipart_form_carries_arrives(fields):
    body = multipart(*(part(name, value) for name, value in fields.items()))

    arrived = decode(body, MULTIPART)

    assert arrived.error is None or "--x y" in json.dumps(fields)
    assert arrived.value is None or arrived.value == fields


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json; charset=latin-1",
        "application/vnd.github+json",
    ],
)
def test_json_types_and_no_type_give_the_value(content_type):
    assert decode('{"a":"ü"}'.encode(), content_type).value == {"a": "ü"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"NaN", b"\xef\xbb\xbf1", b"[" * 100_000]
)
def test_what_is_not_json_has_a_reason(body):
    decoded = decode(body, "application/json")

    assert decoded.value is None
    assert decoded.error is not None
    assert decoded.error.startswith("As application/json the body has no value: ")


def test_null_is_a_value():
    assert decode(b"null", "application/json").error is None


@pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", "json", "*"])
def test_other_types_are_not_parsed(kind):
    assert decode(b"{}", kind).value is None
    assert "not parsed" in str(decode(b"{}", kind).error)


def test_a_form_is_an_object_of_strings_and_repeated_names_are_lists():
    decoded = decode(b"a=1&b=&a=two+words&c=%C3%BC", FORM)

    assert decoded.value == {"a": ["1", "two words"], "b": "", "c": "ü"}


@pytest.mark.parametrize("body", [b"a=%FF", b"a=\xff", b"a=1&" * (MAX_FIELDS + 1)])
def test_a_form_that_cannot_be_read_has_a_reason(body):
    assert decode(body, FORM).error is not None


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        ("grün".encode(), "text/plain", "grün"),
        ("grün".encode("iso-8859-1"), "text/plain; charset=ISO-8859-1", "grün"),
        ("語".encode("shift_jis"), 'text/csv; charset="Shift_JIS"', "語"),
        (b"", "text/html", ""),
    ],
)
def test_text_is_read_by_its_charset(body, content_type, value):
    assert decode(body, content_type).value == value


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "rot13", "zip", "idna"])
def test_charsets_that_are_not_plain_text_are_not_used(charset):
    assert "charset" in str(decode(b"a", f"text/plain; charset={charset}").error)


def test_text_that_does_not_fit_its_charset_has_a_reason():
    assert "byte 2" in str(decode(b"ab\xff", "text/plain").error)


def test_a_multipart_form_gives_its_text_fields_without_files():
    body = multipart(
        part("a", "1"),
        part("file", "bytes", '; filename="a.txt"'),
        part("a", "two\r\nlines"),
        part("json", "{}", "\r\nContent-Type: application/json"),
        part("picture", "png", "\r\nContent-Type: image/png"),
        part("old", "text", "\r\nContent-Type: text/plain; charset=utf-8"),
    )

    decoded = decode(b"preamble\r\n" + body + b"epilogue", MULTIPART)

    assert decoded.value == {"a": ["1", "two\r\nlines"], "json": "{}", "old": "text"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(part("a", "1")), "multipart/form-data"),
        (multipart(part("a", "1")), "multipart/form-data; boundary=é"),
        (multipart(part("a", "1"))[:-6], MULTIPART),
        (b"", MULTIPART),
        (b"--x y\r\nno blank line\r\n--x y--", MULTIPART),
        (b"--x y\r\n\xff\r\n\r\n1\r\n--x y--", MULTIPART),
        (b"--x yz\r\n\r\n1\r\n--x y--", MULTIPART),
        (multipart(part("a", "1", " " * MAX_HEAD)), MULTIPART),
        (multipart(*[part("a", "1")] * (MAX_FIELDS + 1)), MULTIPART),
    ],
)
def test_a_multipart_form_that_cannot_be_read_has_a_reason(body, content_type):
    assert decode(body, content_type).error is not None


def test_as_many_parts_as_allowed_are_read():
    decoded = decode(multipart(*[part("a", "1")] * MAX_FIELDS), MULTIPART)

    assert decoded.value == {"a": ["1"] * MAX_FIELDS}


@pytest.mark.parametrize(
    ("coding", "says"),
    [
        ("gzip", "its Content-Encoding (gzip) is not opened here; send it plain"),
        (" BR ", "its Content-Encoding (br) is not opened here; send it plain"),
        ("a\n" * 99, "its Content-Encoding is not opened here; send it plain"),
        ("identity", "byte 1 is not UTF-8"),
        ("", "byte 1 is not UTF-8"),
        (None, "byte 1 is not UTF-8"),
    ],
)
def test_a_body_without_a_value_is_not_opened_and_the_reason_says_so(coding, says):
    decoded = decode(b"\x1f\x8b\x08", "application/json", coding)

    assert decoded.error == f"As application/json the body has no value: {says}."


def test_a_coding_that_was_not_used_does_no_harm():
    assert decode(b"{}", "application/json", "gzip").value == {}
