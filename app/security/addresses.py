"""Which addresses of the network outgoing calls may reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


# Not `is_global`: what it means changed between patch releases of Python.
GLOBAL_UNICAST = _networks("0.0.0.0/0", "2000::/3")
PRIVATE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
METADATA = _networks(  # where clouds hand out their machines' credentials
    "100.100.100.200/32",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "fd00:ec2::/32",
    "fd20:ce::/32",
)
RESERVED = _networks(
    "0.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo and other protocols' own
    "2001:db8::/32",
    "2002::/16",  # 6to4, which holds an IPv4 address
    "3fff::/20",
)
NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Decides where the one HTTP door may connect to.

    Args:
        allow_private: private and loopback ranges may be called too; never the
            addresses from which clouds hand out credentials.
        allowed: ranges that may be called whatever else is said of them.
    """

    allow_private: bool = False
    allowed: Sequence[Network] = ()

    def check(self, address: Address) -> bool:
        """Tell whether a connection to this very address may be opened."""
        address = _unwrapped(address)
        if _within(address, self.allowed):
            return True
        if _within(address, METADATA) or _within(address, RESERVED):
            return False
        if _within(address, PRIVATE):
            return self.allow_private
        return _within(address, GLOBAL_UNICAST)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that a mapped or translated one really reaches."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
