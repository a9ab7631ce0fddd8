import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Unsealable
from app.security.vault import Vault

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = {"tenant_id": "tenant_1", "credential_id": "cred_1", "field": "value"}
SECRET = b"canary-8f2c"


@pytest.fixture
def vault():
    return Vault([NEW])


def test_what_is_sealed_opens_in_its_place(vault):
    sealed = vault.seal(SECRET, **PLACE)

    assert vault.open(sealed, **PLACE) == SECRET
    assert SECRET not in sealed


def test_nothing_is_sealed_twice_alike(vault):
    assert len({vault.seal(SECRET, **PLACE) for _ in range(100)}) == 100


@pytest.mark.parametrize("part", PLACE)
def test_what_was_moved_does_not_open(vault, part):
    sealed = vault.seal(SECRET, **PLACE)

    with pytest.raises(Unsealable, match="moved"):
        vault.open(sealed, **PLACE | {part: "another"})


def test_no_two_places_are_written_alike(vault):
    texts = ("", "a", "b", "ab", "a\0", "\0")
    places = [
        dict(zip(PLACE, each, strict=True))
        for each in itertools.product(texts, repeat=3)
    ]
    sealed = vault.seal(SECRET, **PLACE | places[10])

    opened = []
    for place in places:
        try:
            vault.open(sealed, **place)
        except Unsealable:
            continue
        opened.append(place)
    assert opened == [places[10]]


def test_no_byte_of_it_can_be_changed(vault):
    sealed = vault.seal(SECRET, **PLACE)

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Unsealable):
            vault.open(bytes(changed), **PLACE)


def test_the_first_key_seals_and_every_key_opens():
    of_old = Vault([OLD]).seal(SECRET, **PLACE)
    ring = Vault([NEW, OLD])

    assert ring.open(of_old, **PLACE) == SECRET
    assert Vault([NEW]).open(ring.seal(SECRET, **PLACE), **PLACE) == SECRET


def test_a_lost_key_is_told_with_what_to_do():
    sealed = Vault([OLD]).seal(SECRET, **PLACE)

    with pytest.raises(Unsealable, match="SLUICE_ENCRYPTION_KEYS does not hold"):
        Vault([NEW]).open(sealed, **PLACE)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_noise_never_opens_and_never_breaks_anything(noise):
    for sealed in (noise, Vault([NEW]).seal(b"", **PLACE)[:21] + noise):
        with pytest.raises(Unsealable):
            Vault([NEW]).open(sealed, **PLACE)


@given(st.binary(max_size=5000))
def test_any_bytes_come_back(value):
    vault = Vault([NEW])

    assert vault.open(vault.seal(value, **PLACE), **PLACE) == value


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""]])
def test_a_vault_needs_whole_keys(keys):
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(keys)


def test_what_the_first_key_has_sealed_is_told_from_the_rest():
    both, old = Vault([NEW, OLD]), Vault([OLD])

    assert both.is_current(both.seal(SECRET, **PLACE))
    assert not both.is_current(old.seal(SECRET, **PLACE))
    assert not both.is_current(b"")


def test_the_names_of_keys_tell_them_apart_and_not_what_they_are():
    assert Vault([NEW, OLD]).ring == [*Vault([NEW]).ring, *Vault([OLD]).ring]
    assert NEW.hex() not in "".join(Vault([NEW]).ring)
