"""How often somebody may sign in, sign up or invite; knows no Flask.

Tallies are in the store, so a limit is one for all processes and machines.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_network

from app.domain import times
from app.domain.errors import RateLimited
from app.domain.limit import NOW, Delay, Limit, Rate
from app.store.protocol import Tries

SECOND = timedelta(seconds=1)
ACCOUNT = Delay(free=5, first=SECOND, most=60 * SECOND, memory=timedelta(days=1))
ADDRESS = Rate(burst=30, every=2 * SECOND)
EVERYBODY = Rate(burst=50, every=SECOND / 5)  # a fifth of what two cores can hash
SIGNUPS = Rate(burst=20, every=30 * SECOND)  # from one address
TELLING = Rate(burst=5, every=600 * SECOND)  # refused logins of one account, in the log
INVITING = Rate(burst=50, every=60 * SECOND)  # by one tenant
PREFIX = {4: 32, 6: 64}  # bits of an address that tell one client from another


class Limits:
    """Counts tries before anything dear is done for them."""

    def __init__(self, tries: Tries) -> None:
        self._tries = tries

    def sign_in(self, email: str, address: str | None) -> None:
        """Count a try to prove a password.

        Raises:
            RateLimited: too many tries; says how long to wait.
        """
        self._take(
            {
                _key("account", email): ACCOUNT,
                _key("address", client_of(address)): ADDRESS,
                _key("everybody", ""): EVERYBODY,
            }
        )

    def signed_in(self, email: str) -> None:
        """Forget the tries at an account: the password was right."""
        self._tries.clear(_key("account", email))

    def tells(self, email: str) -> bool:
        """Tell whether another refused login is worth an entry: a flood is not."""
        return self._tries.take({_key("told", email): TELLING}, at=times.now()) <= NOW

    def sign_up(self, address: str | None) -> None:
        """Count a try to become a user.

        Raises:
            RateLimited: too many tries; says how long to wait.
        """
        self._take(
            {
                _key("signups", client_of(address)): SIGNUPS,
                _key("everybody", ""): EVERYBODY,
            }
        )

    def invite(self, tenant_id: str) -> None:
        """Count an invitation.

        Raises:
            RateLimited: too many; says how long to wait.
        """
        self._take({_key("inviting", tenant_id): INVITING})

    def _take(self, limits: Mapping[bytes, Limit]) -> None:
        wait = self._tries.take(limits, at=times.now())
        if wait > NOW:
            seconds = math.ceil(wait / SECOND)
            raise RateLimited(
                f"Too many tries; the next one may come in {seconds} s.",
                retry_after=seconds,
                code="too-many-tries",
            )


def client_of(address: str | None) -> str:
    """Return what an address counts as: a network that one client may have whole."""
    try:
        plain = ip_network(address or "")
        return str(plain.supernet(new_prefix=PREFIX[plain.version]))
    except ValueError:  # a unix socket has none, and a believed header holds anything
        return "unknown"


def _key(kind: str, name: str) -> bytes:
    """Hash what is limited, so that the store holds no addresses of strangers."""
    return sha256(f"{kind}:{name}".encode(errors="surrogatepass")).digest()
