"""Reading and writing JSON."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import jsons

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**60), max_value=10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
@settings(deadline=None, max_examples=150)
def test_what_is_written_reads_back_equal(value):
    assert jsons.parse(jsons.encode(value)) == value


@given(st.binary(max_size=64))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_a_value_or_a_value_error(data):
    try:
        value = jsons.parse(data)
    except ValueError:
        return
    assert jsons.parse(jsons.encode(value)) == value


@pytest.mark.parametrize(
    "number",
    [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**400 - 1, 1 - 10**400],
)
def test_an_integer_stays_exact_whatever_its_size(number):
    assert jsons.parse(b'{"id":%d}' % number) == {"id": number}
    assert jsons.encode({"id": number}) == b'{"id":%d}' % number


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_an_integer_of_more_than_400_digits_is_refused(number):
    with pytest.raises(ValueError, match="400 digits"):
        jsons.parse(str(number).encode())
    with pytest.raises(ValueError, match="400 digits"):
        jsons.encode(number)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1,}',
        b"NaN",
        b"[Infinity]",
        b"1e400",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'"\xff"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\x00"',
        b"01",
    ],
)
@pytest.mark.parametrize("frame", [b"%s", b'[%s,"12345678901234567890"]'])
def test_what_is_not_strict_json_is_refused(data, frame):
    with pytest.raises(ValueError, match=r"."):
        jsons.parse(frame % data)


def test_a_long_number_that_is_a_fraction_is_a_float():
    assert jsons.parse(b"0.12345678901234567890") == 0.1234567890123456789


def test_of_equal_keys_the_last_counts():
    assert jsons.parse(b'{"a":1,"a":2}') == {"a": 2}


def test_brackets_inside_strings_are_not_nesting():
    assert jsons.parse(b'"' + b"[" * 500 + b'"') == "[" * 500


@pytest.mark.parametrize("filler", [b"1", b"12345678901234567890123"])
def test_a_hundred_levels_are_read_and_one_more_is_refused(filler):
    assert jsons.parse(b"[" * 100 + filler + b"]" * 100)
    for text in (b"[" * 101 + filler + b"]" * 101, b"[" * 101 + b"]" * 101):
        with pytest.raises(ValueError, match="100 deep"):
            jsons.parse(text)


@pytest.mark.parametrize("filler", [b"", b"12345678901234567890123,"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_hundred_thousand_opening_brackets_are_refused(opening, filler):
    with pytest.raises(ValueError, match=r"."):
        jsons.parse(b"[" + filler + opening * 100_000)


def test_a_hundred_levels_are_written_and_one_more_is_refused():
    value: list[object] = []
    for _ in range(99):
        value = [value]
    assert json.loads(jsons.encode(value)) == value
    with pytest.raises(ValueError, match="100 deep"):
        jsons.encode([value])


def test_a_value_that_contains_itself_is_refused():
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="100 deep"):
        jsons.encode(loop)


def test_a_value_is_refused_one_byte_over_its_limit():
    value = {"text": "äöü\n", "list": [1, 2.5, None, True]}
    size = len(jsons.encode(value))
    assert jsons.encode(value, limit=size)
    with pytest.raises(jsons.TooLarge, match=str(size - 1)):
        jsons.encode(value, limit=size - 1)


def test_shared_structure_counts_each_time_it_occurs():
    value: object = "leaf"
    for _ in range(30):
        value = [value, value]
    with pytest.raises(jsons.TooLarge):
        jsons.encode(value, limit=1 << 16)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {"a": [-math.inf]}, {1: 2}, {"a": {None: 1}}]
)
def test_what_json_has_no_word_for_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        jsons.encode(value)


@pytest.mark.parametrize("value", [b"bytes", {1}, (1,), object()])
def test_other_kinds_of_objects_are_refused_by_name(value):
    with pytest.raises(ValueError, match=type(value).__name__):
        jsons.encode([value])


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, [2**70, "\ud800"]])
def test_half_of_a_surrogate_pair_is_refused(value):
    with pytest.raises(ValueError, match="surrogate"):
        jsons.encode(value)
