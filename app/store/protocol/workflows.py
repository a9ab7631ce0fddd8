"""The contract for workflows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from app.domain.credential import Credential
from app.domain.workflow import (
    Definition,
    Edited,
    Published,
    Token,
    Version,
    Workflow,
)


class Workflows(Protocol):
    """Workflows, their versions and their webhook tokens.

    What the current version of an active workflow names must exist. `add` and `publish`
    take the credentials that come with it, and raise `Conflict` if one of their names
    is taken, or if the workflow is active and its definition names a credential that
    does not exist. An inactive one is saved all the same; it needs what it names when
    it is activated.
    """

    def add(
        self,
        workflow: Workflow,
        version: Version,
        *,
        credentials: Sequence[Credential] = (),
        most: int | None = None,
    ) -> None:
        """Remember a new workflow with its first version.

        Args:
            workflow: new.
            version: its first.
            credentials: what comes with it.
            most: how many the tenant may have, the deleted ones not counted. Of
                racing additions no more succeed than there is room for.

        Raises:
            Conflict: the tenant has a workflow of this name; or for a credential.
            TooManyWorkflows: the tenant has as many as it may.
        """

    def get(self, tenant_id: str, workflow_id: str) -> Published:
        """Return a workflow with its current version.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        ...

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Workflow]:
        """Return workflows, newest first, with ids below `before`."""
        ...

    def publish(  # noqa: PLR0913
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        definition: Definition,
        name: str | None,
        author_id: str,
        at: datetime,
        credentials: Sequence[Credential] = (),
    ) -> Edited:
        """Add a version, one above the current, and make it current.

        Raises:
            NotFound: there is no such workflow.
            Conflict: the new `name` is taken; or for a credential.
        """
        ...

    def change(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        name: str | None,
        is_active: bool | None,
        at: datetime,
    ) -> Edited:
        """Change what is not None; no new version.

        Raises:
            NotFound: there is no such workflow.
            Conflict: the new `name` is taken; or it is to be active, and its current
                version names a credential that does not exist.
        """
        ...

    def delete(self, tenant_id: str, workflow_id: str, *, at: datetime) -> Workflow:
        """Hide a workflow; its name is free again, its history and its work stay.

        So do the credentials written into it, but nothing keeps them any more.
        Returns what was deleted.

        Raises:
            NotFound: there is none, or it is deleted already.
        """
        ...

    def rotate(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        token: Token,
        until: datetime,
        at: datetime,
    ) -> Published:
        """Give a workflow another token; the one before works `until` then.

        Raises:
            NotFound: there is none, or it is deleted.
        """
        ...

    def version(self, tenant_id: str, workflow_id: str, number: int) -> Version:
        """Return one version, also of a deleted workflow.

        Raises:
            NotFound: there is none.
        """
        ...

    def versions(
        self, tenant_id: str, workflow_id: str, *, limit: int, before: int | None
    ) -> Sequence[Version]:
        """Return versions, newest first, with numbers below `before`.

        Raises:
            NotFound: there is no such workflow.
        """
        ...

    def by_token(self, token: str) -> Published | None:
        """Return the workflow behind a webhook URL, active or not; None if deleted.

        Looked up by the token's SHA-256, without a tenant: the token is the key. One
        that was rotated away counts until its time is over.
        """
        ...
