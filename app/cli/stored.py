"""The store of a server, opened beside it or while it is stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.command import Environment, Stopped
from app.domain.account import User
from app.domain.errors import ServiceError
from app.settings import Settings
from app.store.protocol import Store
from app.store.sql import SqlStore

NEEDED = ("DATABASE_URL", "SLUICE_DATA_DIR")
FILE = "sqlite:///"


@contextmanager
def opened(env: Environment) -> Iterator[Store]:
    """Open the store that the settings name, and close it again.

    Raises:
        Stopped: there is none, it cannot be opened, or what is done there is refused.
    """
    try:
        settings = Settings.from_env({n: env[n] for n in NEEDED if n in env})
        store = SqlStore(_existing(settings.database))
        store.start()
    except (ValueError, ServiceError) as error:
        raise Stopped(str(error)) from error
    try:
        yield store
    except ServiceError as error:
        raise Stopped(str(error)) from error
    finally:
        store.close()


def user_of(store: Store, email: str) -> User:
    """Return the user with an address.

    Raises:
        Stopped: there is none.
    """
    found = store.accounts.by_email(email.strip())
    if found is None:
        raise Stopped(f"There is no user with the address {email.strip()!r}.")
    return found


def _existing(url: str) -> str:
    """Make no database where there is none: the settings are those of nobody."""
    path = Path(url.removeprefix(FILE))
    if url.startswith(FILE) and not path.exists():
        raise Stopped(
            f"There is no database at {path}. Run this in the server's folder and with"
            " its settings: DATABASE_URL, or SLUICE_DATA_DIR."
        )
    return url
