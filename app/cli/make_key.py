"""A new key with `admin` for an owner who has lost every other."""

import sys
from argparse import ArgumentParser, Namespace

from app.cli.command import Command, Environment, Stopped
from app.cli.stored import opened, user_of
from app.domain import ids, times
from app.domain.account import ApiKey, Member, Role, Scope
from app.domain.audit import Actor
from app.security import keys
from app.store.protocol import Store
from app.web import deeds

NAME = "Made on the server"
TOLD = """\
This is a new API key of {email} for the tenant {tenant}, with scope
admin and without an end. It is shown this once. When it is needed no more, end it:
DELETE /api/v1/api-keys/{key}
"""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("email", help="the address of an owner")
    parser.add_argument("--tenant", help="the tenant's id, for an owner of several")


def _make(asked: Namespace, env: Environment) -> int:
    minted = keys.mint()
    with opened(env) as store:
        owner = _owner(store, user_of(store, asked.email).id, asked.tenant)
        key = ApiKey(
            tenant_id=owner.tenant_id,
            id=ids.new("key"),
            user_id=owner.user_id,
            role=owner.role,
            name=NAME,
            prefix=minted.prefix,
            secret_hash=minted.secret_hash,
            scopes=frozenset({Scope.ADMIN}),
            created_at=times.now(),
        )
        entry = Actor(tenant_id=owner.tenant_id).did(deeds.key_made(key))
        store.noting(lambda _: [entry]).api_keys.add(key)
    sys.stdout.write(f"{minted.text}\n")
    told = TOLD.format(email=owner.email, tenant=owner.tenant_id, key=key.id)
    sys.stderr.write(told)
    return 0


def _owner(store: Store, user_id: str, tenant_id: str | None) -> Member:
    """Return the one place where a user is an owner, or the one that is named.

    Raises:
        Stopped: there is none, or it is not clear which.
    """
    owned = [each for each in store.members.of(user_id) if each.role is Role.OWNER]
    meant = [each for each in owned if tenant_id in (None, each.tenant_id)]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        where = "any tenant" if tenant_id is None else f"the tenant {tenant_id!r}"
        raise Stopped(f"This user is not an owner of {where}.")
    listed = ", ".join(
        f"{each.tenant_id} ({store.accounts.tenant(each.tenant_id).name})"
        for each in meant
    )
    raise Stopped(f"This user owns several tenants; name one by --tenant: {listed}")


COMMAND = Command(
    name="make-key",
    help="make an API key with scope admin for an owner, and print it; the server may"
    " run meanwhile",
    run=_make,
    arguments=_arguments,
)
