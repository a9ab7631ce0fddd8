import pytest

from app.domain.dedupe import LONGEST, SIZE, key_of_id, key_of_value


def test_the_same_id_gives_the_same_short_key():
    assert key_of_id("72d3162e") == key_of_id("72d3162e")
    assert len(key_of_id("72d3162e")) == SIZE


def test_different_ids_give_different_keys():
    assert len({key_of_id(str(n)) for n in range(10_000)}) == 10_000


def test_an_id_may_be_any_text():
    assert len({key_of_id(each) for each in ("", "\0", "\ud800", "ü", "x" * 9999)}) == 5


def test_values_of_different_types_have_different_keys():
    values = [1, "1", [1], {"1": 1}, True, "true", 1.5, "", [], {}, False, 0]

    assert len({key_of_value(each) for each in values}) == len(values)


def test_the_order_of_members_does_not_count_but_that_of_a_list_does():
    assert key_of_value({"a": 1, "b": {"c": 2, "d": 3}}) == key_of_value(
        {"b": {"d": 3, "c": 2}, "a": 1}
    )
    assert key_of_value([1, 2]) != key_of_value([2, 1])


def test_integers_of_any_size_stay_apart():
    assert key_of_value(2**64) != key_of_value(2**64 + 1)


@pytest.mark.parametrize("value", [float("nan"), object(), "x" * (LONGEST + 1)])
def test_what_is_no_json_or_too_large_has_no_key(value):
    with pytest.raises(ValueError, match=r"JSON"):
        key_of_value(value)


def test_a_value_that_holds_a_part_many_times_over_costs_little():
    value: list[object] = []
    for _ in range(60):
        value = [value, value]

    with pytest.raises(ValueError, match="bytes"):
        key_of_value(value)
