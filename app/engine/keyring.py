"""The credentials that one execution uses; from then on their values are hidden."""

from collections.abc import Iterable
from contextlib import suppress

from app.connectors.tokens import Purse
from app.domain.context import ExecutionContext
from app.domain.credential import Opened
from app.domain.errors import NotFound, Unsealable
from app.domain.masking import Mask
from app.security.secrets import Secrets


class Keyring:
    """Opens credentials of a tenant, each time anew: a replaced one counts at once."""

    def __init__(
        self, secrets: Secrets, purse: Purse, tenant_id: str, mask: Mask
    ) -> None:
        self._secrets, self._purse = secrets, purse
        self._tenant_id, self._mask = tenant_id, mask

    def open(self, name: str) -> Opened:
        """Return one credential in the clear, and hide what it holds.

        Raises:
            NotFound: there is none of this name.
            Unsealable: it does not open.
            StoreUnavailable: the store cannot be read.
        """
        found = self._secrets.opened(self._tenant_id, name)
        self._mask.add(found.secrets())
        return found

    def token(
        self, context: ExecutionContext, client: Opened, *, stale: str | None = None
    ) -> str:
        """Return a token for a credential, and hide it.

        Raises:
            StepFailed: there is none to be had.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
            StoreUnavailable: the store failed.
        """
        found = self._purse.token(context, client, stale=stale)
        self._mask.add([found])
        return found

    def recall(self, names: Iterable[str]) -> None:
        """Hide what an earlier segment of the execution may have used."""
        for name in names:
            with suppress(NotFound, Unsealable):
                self.open(name)
