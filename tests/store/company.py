"""Something to store: a company with an owner, a key and a workflow."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain import ids, times
from app.domain.account import ApiKey, Role, Scope, Tenant, User
from app.domain.credential import Credential
from app.domain.execution import (
    Execution,
    Payload,
    Segment,
    Status,
    StepRecord,
    StepStatus,
    Trigger,
)
from app.domain.invitation import Invitation
from app.domain.process import Kind, Process
from app.domain.session import Session
from app.domain.workflow import Token, Version, Workflow
from app.security import tokens
from app.store.protocol import Executions, Store

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)
HOUR = timedelta(hours=1)
HERE, THERE = "process-1", "process-2"


def id_of(at: datetime) -> str:
    """An execution's id as it would have been made then."""
    return f"{ids.least('exec', times.to_ms(at))}7{os.urandom(10).hex()[1:]}"


def tenant(name: str = "Acme") -> Tenant:
    return Tenant(id=ids.new("tenant"), name=name, created_at=NOON)


def user(email: str) -> User:
    return User(id=ids.new("user"), email=email, password_hash="$h", created_at=NOON)


def api_key(tenant_id: str, user_id: str, **changes: Any) -> ApiKey:
    return replace(
        ApiKey(
            tenant_id=tenant_id,
            id=ids.new("key"),
            user_id=user_id,
            role=Role.OWNER,
            name="laptop",
            prefix=os.urandom(6).hex(),
            secret_hash=b"\x00\xff" * 16,
            scopes=frozenset({Scope.READ, Scope.RUN}),
            created_at=NOON,
        ),
        **changes,
    )


def invitation(tenant_id: str, inviter_id: str, **changes: Any) -> Invitation:
    return replace(
        Invitation(
            tenant_id=tenant_id,
            id=ids.new("inv"),
            email="new@example.com",
            role=Role.VIEWER,
            token_hash=os.urandom(32),
            inviter_id=inviter_id,
            created_at=NOON,
            expires_at=LATER,
        ),
        **changes,
    )


def session(tenant_id: str, user_id: str, **changes: Any) -> Session:
    return replace(
        Session(
            id=ids.new("sess"),
            token_hash=os.urandom(32),
            user_id=user_id,
            tenant_id=tenant_id,
            role=Role.OWNER,
            created_at=NOON,
            used_at=NOON,
            address="192.0.2.1",
            agent="curl",
        ),
        **changes,
    )


def token(text: str) -> Token:
    """A token of a webhook's URL; what is sealed is nobody's business here."""
    return Token(tokens.digest(text), b"\x01sealed")


def workflow(tenant_id: str, **changes: Any) -> Workflow:
    """A workflow whose token is its id."""
    workflow_id = ids.new("wf")
    return replace(
        Workflow(
            tenant_id=tenant_id,
            id=workflow_id,
            name="Order alerts",
            version=1,
            is_active=True,
            token=token(workflow_id),
            created_at=NOON,
            updated_at=NOON,
        ),
        **changes,
    )


def version(of: Workflow, **changes: Any) -> Version:
    return replace(
        Version(
            tenant_id=of.tenant_id,
            workflow_id=of.id,
            number=of.version,
            definition={"name": of.name, "steps": [{"id": "a", "uses": "set"}]},
            author_id=ids.new("user"),
            created_at=NOON,
        ),
        **changes,
    )


def payload(**changes: Any) -> Payload:
    return replace(
        Payload(
            body=b'{"id": 7}',
            content_type="application/json",
            headers={"x-github-event": "push"},
            query={"a": "1", "b": ["2", "3"]},
            method="POST",
            path="more/path",
            received_at=NOON,
        ),
        **changes,
    )


def step(path: str, position: int = 0, **changes: Any) -> StepRecord:
    return replace(
        StepRecord(
            path=path,
            position=position,
            uses="set",
            status=StepStatus.SUCCESS,
            started_at=NOON,
            duration_ms=3,
            output=b'{"n":1}',
        ),
        **changes,
    )


@dataclass(frozen=True)
class Company:
    """A tenant with a workflow, and the executions that it makes."""

    store: Store
    tenant: Tenant
    owner: User
    key: ApiKey
    workflow: Workflow
    version: Version

    @property
    def id(self) -> str:
        return self.tenant.id

    @property
    def executions(self) -> Executions:
        return self.store.executions

    def execution(self, **changes: Any) -> Execution:
        return replace(
            Execution(
                tenant_id=self.tenant.id,
                id=ids.new("exec"),
                workflow_id=self.workflow.id,
                workflow_name=self.workflow.name,
                version=1,
                status=Status.QUEUED,
                trigger=Trigger.WEBHOOK,
                user_id=self.owner.id,
                created_at=NOON,
                owner=HERE,
            ),
            **changes,
        )

    def accept(self, **changes: Any) -> Execution:
        """Record an execution that is queued here, or as the changes say."""
        execution = self.execution(**changes)
        self.executions.add(execution, payload()).result(timeout=5)
        return execution

    def run(self, **changes: Any) -> Execution:
        """Record one that is running here."""
        execution = self.accept(**changes)
        assert self.executions.start(execution, at=NOON).result(timeout=5)
        return self.now(execution)

    def finish(self, held: Execution, **changes: Any) -> bool:
        """Finish as a success with one segment, or as the changes say."""
        given: dict[str, Any] = {
            "steps": (),
            "status": Status.SUCCESS,
            "error": None,
            "segments": [Segment(NOON, LATER)],
            "at": LATER,
        }
        return self.executions.finish(held, **given | changes).result(timeout=5)

    def now(self, execution: Execution) -> Execution:
        """Read an execution again."""
        return self.executions.get(self.tenant.id, execution.id)

    def join(self, role: Role = Role.VIEWER) -> User:
        """Let a new user in."""
        joined = user(f"{ids.new('user')}@example.com")
        invited = invitation(self.tenant.id, self.owner.id, role=role)
        self.store.invitations.add(invited)
        self.store.invitations.accept(invited.token_hash, joined, at=NOON)
        return joined

    def another(self, **changes: Any) -> Workflow:
        """Add a further workflow."""
        added = workflow(self.tenant.id, **changes)
        self.store.workflows.add(added, version(added))
        return added


def process(name: str, **changes: Any) -> Process:
    return replace(
        Process(id=name, kind=Kind.WEB, workers=10, queue=100, started_at=NOON),
        **changes,
    )


def worker(name: str, **changes: Any) -> Process:
    """A process that executes what others accept."""
    return process(name, kind=Kind.WORKER, **changes)


def credential(tenant_id: str, **changes: Any) -> Credential:
    return replace(
        Credential(
            tenant_id=tenant_id,
            id=ids.new("cred"),
            name="github-hook",
            type="secret",
            workflow_id=None,
            sealed={"value": b"\x00sealed\xff"},
            created_at=NOON,
            updated_at=NOON,
        ),
        **changes,
    )


def found(store: Store, *, name: str = "Acme", email: str | None = None) -> Company:
    """Register a company and add its first workflow."""
    new = tenant(name)
    owner = user(email or f"{new.id}@example.com")
    key = api_key(new.id, owner.id)
    store.accounts.register(new, owner, key, only_first=False)
    first = workflow(new.id)
    published = version(first)
    store.workflows.add(first, published)
    return Company(store, new, owner, key, first, published)
