"""Another password for somebody who has forgotten theirs."""

import secrets
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from typing import Any

from app.cli.command import Command, Environment
from app.cli.stored import opened, user_of
from app.domain.account import User
from app.domain.audit import Actor, Entry
from app.security.passwords import Passwords
from app.store.protocol import Note, Store
from app.web import deeds
from app.web.limits import Limits

TOLD = """\
This is the new password of {email}. All sessions of this user have ended; keys go on.
Log in with it and choose another: POST /api/v1/auth/login, /api/v1/auth/password.
"""


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("email", help="the user's address")


def _reset(asked: Namespace, env: Environment) -> int:
    password = secrets.token_urlsafe(15)
    with opened(env) as store:
        user = user_of(store, asked.email)
        hashed = Passwords().hash(password)
        store.noting(_note(store, user)).accounts.change_password(user.id, hashed)
        Limits(store.tries).signed_in(user.email)
    sys.stdout.write(f"{password}\n")
    sys.stderr.write(TOLD.format(email=user.email))
    return 0


def _note(store: Store, user: User) -> Note:
    """Tell it in the log of each tenant that the user is in."""
    places = [each.tenant_id for each in store.members.of(user.id)]

    def entries(_: Any) -> Iterable[Entry]:
        deed = deeds.password_changed(user)
        return [Actor(tenant_id=each).did(deed) for each in places]

    return entries


COMMAND = Command(
    name="reset-password",
    help="give a user another password, and print it; the server may run meanwhile",
    run=_reset,
    arguments=_arguments,
)
