"""Workflows and their versions, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.domain import jsons, times
from app.domain.credential import Credential
from app.domain.errors import Conflict, NotFound, TooManyWorkflows
from app.domain.workflow import (
    Definition,
    Edited,
    Published,
    Token,
    Version,
    Workflow,
)
from app.security import tokens
from app.store import text
from app.store.envelope import encoded
from app.store.memory import credentials as kept_credentials
from app.store.memory.state import State


class MemoryWorkflows:
    """`Workflows` in dictionaries."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(
        self,
        workflow: Workflow,
        version: Version,
        *,
        credentials: Sequence[Credential] = (),
        most: int | None = None,
    ) -> None:
        text.check("the name", workflow.name)
        key = (workflow.tenant_id, workflow.id)
        kept = _kept(version)
        with self._state.writing():
            if most is not None and self._living(workflow.tenant_id) >= most:
                raise TooManyWorkflows(most)
            self._require_free(workflow)
            self._keep_credentials(workflow, kept, credentials)
            self._state.workflows[key] = workflow
            self._state.versions[key] = [kept]

    def get(self, tenant_id: str, workflow_id: str) -> Published:
        with self._state.lock:
            return self._published(self._find(tenant_id, workflow_id))

    def list(
        self, tenant_id: str, *, limit: int, before: str | None
    ) -> Sequence[Workflow]:
        with self._state.lock:
            found = [
                each
                for key, each in self._state.workflows.items()
                if each.tenant_id == tenant_id
                and key not in self._state.deleted
                and (before is None or each.id < before)
            ]
        return sorted(found, key=lambda each: each.id, reverse=True)[:limit]

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
        with self._state.writing():
            found = self._find(tenant_id, workflow_id)
            version = Version(
                tenant_id=tenant_id,
                workflow_id=workflow_id,
                number=found.version + 1,
                definition=definition,
                author_id=author_id,
                created_at=at,
            )
            changed = replace(found, version=version.number, updated_at=at)
            changed = changed if name is None else replace(changed, name=name)
            kept = _kept(version)
            self._require_free(changed)
            self._keep_credentials(changed, kept, credentials)
            self._save(changed)
            self._state.versions[tenant_id, workflow_id].append(kept)
            return Edited(found, self.get(tenant_id, workflow_id))

    def change(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        name: str | None,
        is_active: bool | None,
        at: datetime,
    ) -> Edited:
        with self._state.writing():
            found = self._find(tenant_id, workflow_id)
            changed = replace(
                found,
                name=found.name if name is None else name,
                is_active=found.is_active if is_active is None else is_active,
                updated_at=at,
            )
            self._require_free(changed)
            if is_active:
                current = self._published(changed).version
                kept_credentials.note_uses(self._state, current, is_active=True)
            self._save(changed)
            return Edited(found, self._published(changed))

    def delete(self, tenant_id: str, workflow_id: str, *, at: datetime) -> Workflow:
        with self._state.writing():
            found = self._find(tenant_id, workflow_id)
            self._state.workflows[tenant_id, workflow_id] = replace(
                found, updated_at=at
            )
            self._state.deleted.add((tenant_id, workflow_id))
            self._state.uses.pop((tenant_id, workflow_id), None)
            return found

    def rotate(
        self,
        tenant_id: str,
        workflow_id: str,
        *,
        token: Token,
        until: datetime,
        at: datetime,
    ) -> Published:
        with self._state.writing():
            found = self._find(tenant_id, workflow_id)
            key = (tenant_id, workflow_id)
            self._state.former_tokens[found.token.hash] = (key, until)
            self._state.workflows[key] = replace(found, token=token, updated_at=at)
            return self.get(tenant_id, workflow_id)

    def version(self, tenant_id: str, workflow_id: str, number: int) -> Version:
        with self._state.lock:
            for each in self._state.versions.get((tenant_id, workflow_id), ()):
                if each.number == number:
                    return each
        raise NotFound(f"This workflow has no version {number}.")

    def versions(
        self, tenant_id: str, workflow_id: str, *, limit: int, before: int | None
    ) -> Sequence[Version]:
        with self._state.lock:
            self._find(tenant_id, workflow_id)
            newest_first = reversed(self._state.versions[tenant_id, workflow_id])
            return [
                each for each in newest_first if before is None or each.number < before
            ][:limit]

    def by_token(self, token: str) -> Published | None:
        wanted = tokens.digest(token)
        with self._state.lock:
            former, until = self._state.former_tokens.get(wanted, (None, times.EPOCH))
            if until <= times.now():
                former = None
            for key, each in self._state.workflows.items():
                is_it = each.token.hash == wanted or key == former
                if is_it and key not in self._state.deleted:
                    return self._published(each)
        return None

    def _find(self, tenant_id: str, workflow_id: str) -> Workflow:
        key = (tenant_id, workflow_id)
        if key not in self._state.workflows or key in self._state.deleted:
            raise NotFound("There is no workflow with this id.")
        return self._state.workflows[key]

    def _living(self, tenant_id: str) -> int:
        alive = self._state.workflows.keys() - self._state.deleted
        return sum(owner == tenant_id for owner, _ in alive)

    def _save(self, workflow: Workflow) -> None:
        text.check("the name", workflow.name)
        self._require_free(workflow)
        self._state.workflows[workflow.tenant_id, workflow.id] = workflow

    def _keep_credentials(
        self, workflow: Workflow, version: Version, added: Sequence[Credential]
    ) -> None:
        kept_credentials.require_free(self._state, added)
        kept_credentials.note_uses(
            self._state, version, added, is_active=workflow.is_active
        )
        kept_credentials.keep(self._state, added)

    def _require_free(self, workflow: Workflow) -> None:
        for key, each in self._state.workflows.items():
            if (
                (each.tenant_id, each.name) == (workflow.tenant_id, workflow.name)
                and each.id != workflow.id
                and key not in self._state.deleted
            ):
                raise Conflict("a workflow of this name exists; choose another name")

    def _published(self, workflow: Workflow) -> Published:
        key = (workflow.tenant_id, workflow.id)
        current = self._state.versions[key][workflow.version - 1]
        return Published(workflow, current)


def _kept(version: Version) -> Version:
    """Return a version that shares nothing with the caller's.

    Raises:
        Invalid: its definition is not JSON.
    """
    written = encoded("the definition", version.definition)
    return replace(version, definition=jsons.parse(written))
