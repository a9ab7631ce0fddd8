from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security.addresses import AddressGuard

PRIVATE = """
10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255
172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::1 fc00::1 fd12:3456::1 64:ff9b::7f00:1
"""

NEVER = """
0.0.0.0 0.255.255.255 169.254.0.1 169.254.169.254 100.100.100.200 168.63.129.16
192.0.0.0 192.0.0.255 192.0.2.1 192.88.99.1 198.18.0.0 198.19.255.255
198.51.100.7 203.0.113.255 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::7f00:1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 64:ff9b::a9fe:a9fe 64:ff9b:1::1
100::1 2001::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1
3fff:fff::1 5f00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1 4000::1 1fff::1
"""

ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2000::1 2001:200::1 2001:4860:4860::8888 2606:4700::1111 3ffe::1
::ffff:8.8.8.8 64:ff9b::808:808
"""

addresses = st.ip_addresses() | st.builds(
    lambda low, prefix: ip_address(int(ip_address(prefix)) | low),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["::ffff:0:0", "64:ff9b::", "::", "2002::", "fe80::", "fc00::"]),
)


@pytest.mark.parametrize("text", (PRIVATE + NEVER).split())
def test_an_address_that_is_not_everybodys_is_refused(text):
    assert not AddressGuard().check(ip_address(text))


@pytest.mark.parametrize("text", ALLOWED.split())
def test_a_public_address_is_allowed(text):
    assert AddressGuard().check(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE.split())
def test_private_addresses_are_allowed_where_the_operator_says_so(text):
    assert AddressGuard(allow_private=True).check(ip_address(text))


@pytest.mark.parametrize("text", NEVER.split())
def test_private_never_means_metadata_or_reserved_ranges(text):
    assert not AddressGuard(allow_private=True).check(ip_address(text))


def test_a_range_that_the_operator_names_is_allowed_and_its_neighbour_is_not():
    guard = AddressGuard(allowed=[ip_network("10.1.2.0/24"), ip_network("fd00::/64")])

    assert guard.check(ip_address("10.1.2.3"))
    assert guard.check(ip_address("::ffff:10.1.2.3"))
    assert guard.check(ip_address("fd00::7"))
    assert not guard.check(ip_address("10.1.3.0"))
    assert not guard.check(ip_address("fd00:0:0:1::7"))


@given(addresses)
def test_what_is_allowed_is_global_by_the_standard_librarys_account_too(address):
    mapped = getattr(address, "ipv4_mapped", None)

    if AddressGuard().check(address):
        assert (mapped or address).is_global
        assert not (mapped or address).is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_in_all_its_disguises(address):
    guard = AddressGuard()

    for disguise in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert guard.check(ip_address(disguise)) == guard.check(address)
