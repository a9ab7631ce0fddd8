import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from app.domain.errors import Overloaded
from app.security.passwords import AT_ONCE, NICE, NOBODYS, Passwords


def test_the_hash_verifies_the_password_and_no_other():
    stored = Passwords().hash("correct horse")

    assert PasswordHasher().verify(stored, "correct horse")
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(stored, "correct horsf")


def test_a_stored_password_is_verified_and_no_other():
    passwords = Passwords()
    stored = passwords.hash("correct horse")

    assert passwords.verify(stored, "correct horse")
    assert not passwords.verify(stored, "correct horsf")


@pytest.mark.parametrize("stored", [None, NOBODYS, "", "no hash", "$argon2id$v=19$x"])
def test_nothing_is_the_password_of_who_has_none(stored):
    assert not Passwords().verify(stored, "correct horse")


def test_the_hash_for_nobody_costs_what_any_other_costs():
    assert not Passwords().is_outdated(NOBODYS)


def test_a_hash_of_other_parameters_is_outdated():
    cheaper = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)

    assert Passwords().is_outdated(cheaper.hash("correct horse"))
    assert not Passwords().is_outdated(Passwords().hash("correct horse"))


def test_who_finds_no_place_to_wait_is_told_so_at_once():
    counting = Counting()
    passwords = Passwords(hasher=counting, places=AT_ONCE)

    with ThreadPoolExecutor(AT_ONCE) as people:
        busy = [people.submit(passwords.verify, "h", "x") for _ in range(AT_ONCE)]
        assert counting.full.wait(5)
        with pytest.raises(Overloaded):
            passwords.verify("hash", "correct horse")
        counting.go.set()

    assert all(each.result() for each in busy)


def test_the_same_password_gets_another_salt_each_time():
    assert Passwords().hash("correct horse") != Passwords().hash("correct horse")


def test_the_stored_form_is_argon2id_with_the_chosen_cost():
    stored = Passwords().hash("correct horse")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


class Counting:
    """Counts how many hash at the same time, and lets them go together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self.most = 0
        self.full, self.go = threading.Event(), threading.Event()

    def hash(self, _: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now == AT_ONCE:
                self.full.set()
        assert self.go.wait(5)
        with self._lock:
            self._now -= 1
        return "hash"

    def verify(self, _: str, password: str) -> bool:
        return bool(self.hash(password))

    def check_needs_rehash(self, _: str) -> bool:
        return False


def test_no_more_than_two_hash_at_once_and_the_others_wait_their_turn():
    counting = Counting()
    passwords = Passwords(hasher=counting)

    with ThreadPoolExecutor(8) as people:
        hashes = [people.submit(passwords.hash, "correct horse") for _ in range(8)]
        assert counting.full.wait(5)
        counting.go.set()

    assert [each.result() for each in hashes] == ["hash"] * 8
    assert counting.most == AT_ONCE


def test_two_threads_make_all_hashes_so_that_no_other_keeps_the_memory():
    seen = set()

    class Noticing(Counting):
        def hash(self, _: str) -> str:
            seen.add(threading.get_ident())
            return "hash"

    passwords = Passwords(hasher=Noticing())
    with ThreadPoolExecutor(8) as people:
        list(people.map(passwords.hash, ["correct horse"] * 40))

    assert 1 <= len(seen) <= AT_ONCE
    assert threading.get_ident() not in seen


def test_who_waits_too_long_for_a_turn_is_told_to_try_again():
    counting = Counting()
    passwords = Passwords(hasher=counting, patience=0.01)

    with ThreadPoolExecutor(AT_ONCE) as people:
        for _ in range(100):  # on a busy machine a thread may start too late for one
            people.submit(passwords.hash, "correct horse")
            if counting.full.wait(0.05):
                break
        assert counting.full.is_set()
        with pytest.raises(Overloaded):
            passwords.hash("correct horse")
        counting.go.set()


def test_hashing_gives_way_to_whatever_else_there_is_to_do():
    class Nice:
        def hash(self, _: str) -> str:
            return str(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert int(Passwords(hasher=Nice()).hash("x")) == max(here, NICE)  # type: ignore[arg-type]
