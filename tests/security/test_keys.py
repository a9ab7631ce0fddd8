import hashlib

import pytest

from app.security import keys, tokens


def test_a_minted_key_is_parsed_back_and_proves_its_hash():
    minted = keys.mint()

    presented = keys.parse(minted.text)

    assert presented is not None
    assert presented.prefix == minted.prefix
    assert presented.proves(minted.secret_hash)


def test_only_the_hash_of_the_secret_is_kept():
    minted = keys.mint()
    secret = minted.text.rpartition("_")[2][: keys.SECRET_LENGTH]

    assert minted.secret_hash == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(minted)
    assert minted.text not in repr(minted)


def test_a_thousand_keys_share_neither_prefix_nor_secret():
    minted = [keys.mint() for _ in range(1000)]

    assert len({each.prefix for each in minted}) == 1000
    assert len({each.secret_hash for each in minted}) == 1000


def test_the_checksum_finds_every_single_wrong_character():
    text = keys.mint().text
    for at in range(len("sluice_"), len(text)):
        other = "a" if text[at] != "a" else "b"
        assert keys.parse(text[:at] + other + text[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", "sluice_", "sluice__", "x" * 68, "sluice_é", "Bearer x", "\0" * 68],
    ids=ascii,
)
def test_what_is_no_key_is_none(text: str):
    assert keys.parse(text) is None


def test_another_keys_secret_proves_nothing():
    one, other = keys.mint(), keys.mint()

    presented = keys.parse(one.text)

    assert presented is not None
    assert not presented.proves(other.secret_hash)


def test_a_token_has_192_bits_and_looks_like_one():
    made = {tokens.new() for _ in range(1000)}

    assert len(made) == 1000
    assert all(tokens.well_formed(each) and len(each) == 32 for each in made)


@pytest.mark.parametrize("text", ["", "x" * 31, "x" * 33, "x" * 31 + "/", "é" * 32])
def test_what_is_no_token_is_told_without_asking_the_store(text: str):
    assert not tokens.well_formed(text)


def test_secrets_are_compared_by_value_even_beyond_ascii():
    assert tokens.same("gehe\u00edm", "gehe\u00edm")
    assert not tokens.same("geheim", "gehe\u00edm")
