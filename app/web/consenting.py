"""Asking a person to let a credential do something elsewhere. Knows no Flask."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.connectors import oauth
from app.connectors.tokens import VERIFIER, Purse
from app.domain import ids, times
from app.domain.audit import Actor, Entry, Source
from app.domain.context import ExecutionContext
from app.domain.credential import Credential, Opened
from app.domain.errors import Conflict, DeadlineExceeded, NotFound, StepFailed
from app.domain.grant import Consent
from app.security import tokens
from app.security.secrets import Secrets
from app.store.protocol import Store
from app.web import deeds
from app.web.problems import Problem, Refused

BACK = "/oauth/callback"
LIFE = timedelta(minutes=10)  # for a person to decide
PATIENCE = 20.0  # seconds that an authorization server may take
LOST = (
    "This answer belongs to no question: it was used before, is more than 10 minutes"
    " old, its credential has changed, or somebody asked who is logged in elsewhere."
    " Begin again."
)


@dataclass(frozen=True, slots=True)
class Question:
    """Where a person is asked, and until when the answer counts."""

    url: str
    expires_at: datetime


class Consents:
    """Sends people away with a question, and takes the answers they bring back."""

    def __init__(
        self, store: Store, secrets: Secrets, purse: Purse, *, public_url: str
    ) -> None:
        self._store, self._secrets, self._purse = store, secrets, purse
        self._back = public_url + BACK

    def ask(
        self,
        asking: Actor,
        user_id: str,
        credential_id: str,
        *,
        session_id: str | None,
    ) -> Question:
        """Return the URL that a person must open.

        With a session, only its own browser can bring the answer: who is talked into
        opening somebody else's question gives nothing away.

        Raises:
            NotFound: the tenant has no such credential.
            Conflict: it is none that a person authorizes.
        """
        at = times.now()
        credential = self._store.credentials.get(asking.tenant_id, credential_id)
        client = self._opened(credential)
        state, verifier = tokens.new(), tokens.new() + tokens.new()
        consent = Consent(
            state_hash=_mark(state, session_id),
            tenant_id=credential.tenant_id,
            credential_id=credential.id,
            user_id=user_id,
            verifier=self._sealed(credential, verifier),
            credential_at=credential.updated_at,
            expires_at=at + LIFE,
        )
        asked = asking.did(deeds.consent_asked(credential.id))
        self._store.noting(lambda _: [asked]).grants.ask(consent, at=at)
        url = oauth.question(
            client, state=state, verifier=verifier, redirect_uri=self._back
        )
        return Question(url, consent.expires_at)

    def take(
        self,
        state: str,
        code: str | None,
        error: str | None,
        source: Source,
        *,
        session_id: str | None,
    ) -> Consent:
        """Keep what a person granted, and return the question it answers.

        Raises:
            Refused: 400, there is no such question, or the person said no; 502, the
                authorization server gave no tokens.
        """
        try:
            consent = self._asked(state, session_id)
            credential = self._store.credentials.get(
                consent.tenant_id, consent.credential_id
            )
        except NotFound as missing:
            raise Refused(_problem(400, "consent-unknown", LOST)) from missing
        if code is None:
            raise Refused(_problem(400, "consent-denied", _denied(error)))
        client = self._opened(credential)
        context = ExecutionContext(ids.new("consent"), time.monotonic() + PATIENCE)
        try:
            sealed = self._purse.redeem(
                context, client, consent, code=code, redirect_uri=self._back
            )
        except (StepFailed, DeadlineExceeded) as failure:
            raise _gave_nothing(failure) from failure
        if not self._keep(consent, sealed, source):
            raise Refused(_problem(400, "consent-unknown", LOST))
        return consent

    def _asked(self, state: str, session_id: str | None) -> Consent:
        """Return the question of this session, or one that a program asked."""
        grants, at = self._store.grants, times.now()
        if session_id is not None:
            with suppress(NotFound):
                return grants.answer(_mark(state, session_id), at=at)
        return grants.answer(_mark(state, None), at=at)

    def _keep(self, consent: Consent, sealed: bytes, source: Source) -> bool:
        person = Actor(
            tenant_id=consent.tenant_id, user_id=consent.user_id, source=source
        )

        def note(kept: bool) -> Iterable[Entry]:  # noqa: FBT001
            return [person.did(deeds.consent_given(consent))] if kept else []

        return self._store.noting(note).grants.grant(consent, sealed)

    def _opened(self, credential: Credential) -> Opened:
        client = self._secrets.whole(credential)
        if client.data.get("grant") != "authorization_code":
            raise Conflict(
                f"the credential `{client.name}` needs no person: only type oauth2 with"
                " grant authorization_code is authorized by one"
            )
        return client

    def _sealed(self, credential: Credential, verifier: str) -> bytes:
        data = {VERIFIER: verifier}
        return self._secrets.seal(credential.tenant_id, credential.id, data)[VERIFIER]


def _mark(state: str, session_id: str | None) -> bytes:
    """Return what a question is found by: only the session that asked knows all."""
    return tokens.digest(state if session_id is None else f"{state} {session_id}")


def _denied(error: str | None) -> str:
    return (
        f"The authorization server gave no code ({oauth.readable(error)});"
        " nothing was kept."
    )


def _gave_nothing(failure: StepFailed | DeadlineExceeded) -> Refused:
    return Refused(_problem(502, failure.code, f"{failure} Begin again."))


def _problem(status: int, code: str, detail: str) -> Problem:
    return Problem(status=status, code=code, detail=detail)
