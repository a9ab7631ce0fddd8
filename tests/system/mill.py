"""A tenant that keeps one secret of each type, and uses them in each way."""

import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from tests.connectors.provider import SECRET, Provider
from tests.system.canaries import Watched
from tests.system.client import send

OUTPUT = "{{ steps.fetch.output }}"
CALLING = (
    "bearer", "basic", "header", "query", "client_credentials", "authorization_code",
)  # fmt: skip
Step = Mapping[str, Any]


def canary(name: str, more: str = "") -> str:
    """A secret that nothing else looks like."""
    return f"canary-{name}-{secrets.token_hex(8)}{more}"


def reading(prefix: str = "") -> list[Step]:
    """Steps that pass an output on, each in its own way."""
    return [
        {"id": f"{prefix}copy", "uses": "set", "with": {"value": {"got": OUTPUT}}},
        {
            "id": f"{prefix}said",
            "uses": "log",
            "with": {"message": OUTPUT, "fields": {"password": OUTPUT, "a": [OUTPUT]}},
        },
    ]


TOLD = {"id": "told", "uses": "respond", "with": {"body": {"all": OUTPUT}}}
STOPPED = {
    "id": "stopped",
    "uses": "stop",
    "with": {"status": "failed", "message": OUTPUT},
}
FAILED = {"id": "failed", "uses": "fail", "with": {"message": OUTPUT}}


class Mill:
    """Makes credentials and workflows, and remembers every secret."""

    def __init__(self, api: Watched, provider: Provider) -> None:
        self.api, self.provider = api, provider
        self.canaries = {"client secret": SECRET}

    def keep(self, name: str, kind: str, secret: str, /, **data: Any) -> str:
        """Store a credential that holds a secret."""
        self.canaries[name] = secret
        made = {"name": name, "type": kind, "data": data}
        return str(self.api.call("POST", "/credentials", made)["id"])

    def keep_all(self) -> None:
        """Store one credential of each type, those without a connector included."""
        odd = '"<>/+\\'
        token, head = canary("bearer"), canary("header", odd)
        word, text = canary("basic", f"{odd}ü"), canary("query", f"{odd} &ü")
        self.keep("bearer", "bearer", token, token=token)
        self.keep("basic", "basic", word, username="müller", password=word)
        self.keep("header", "header", head, name="X-Canary", value=f"Key {head}")
        self.keep("query", "query", text, name="key", value=text)
        key = b64encode(secrets.token_bytes(24)).decode()
        self.keep("sign", "secret", key, value=f"whsec_{key}")
        auth, mail = canary("twilio"), canary("smtp", odd)
        any_ = canary("generic", odd)
        sid = "AC" + secrets.token_hex(16)
        self.keep("twilio", "twilio", auth, account_sid=sid, auth_token=auth)
        self.keep("generic", "generic", any_, anything=any_)
        account = {"host": "mail.example.com", "port": 587, "username": "miller"}
        self.keep("smtp", "smtp", mail, **account, password=mail)
        for grant in ("client_credentials", "authorization_code"):
            data = self.provider.data(grant)
            kept = self.keep(grant, "oauth2", data["client_secret"], **data)
        self._authorize(kept)

    def _authorize(self, credential_id: str) -> None:
        asked = self.api.call("POST", f"/credentials/{credential_id}/authorize")
        back = self.provider.consent(asked["url"])
        path = back[back.index("/oauth/") :]
        answer = send("GET", self.api.url + path)
        assert answer.status == 200
        self.api.places.add_answer("answers to browsers", answer)
        again = send("GET", self.api.url + path)
        assert again.status == 400
        self.api.places.add_answer("answers to browsers", again)

    def tokens(self) -> dict[str, str]:
        """What the authorization server gave out."""
        provider, every = self.provider, set(self.provider.own)
        for each in provider.families:
            every |= each.access | each.spent | {each.refresh}
        return {f"token {n}": each for n, each in enumerate(sorted(every))}

    def workflow(self, name: str, fetch: Step, last: Step = TOLD, **more: Any) -> str:
        """Save a workflow that passes on what a step brings, also when it fails."""
        definition = {
            "trigger": {"type": "webhook", "respond": "on_finish"},
            "steps": [{"id": "fetch", "timeout": 1, **fetch}, *reading(), last],
            "on_failure": [*reading("late_"), FAILED],
            **more,
        }
        made = {"name": name, "definition": definition}
        return str(self.api.call("POST", "/workflows", made)["webhook_url"])

    def requests(self, urls: Mapping[str, str]) -> Iterator[str]:
        """Hooks that call each URL with each credential, or signed."""
        for way, url in urls.items():
            sent = {"method": "POST", "url": url, "json": {}}
            for name in CALLING:
                fetch = {"uses": "http.request", "with": {**sent, "credential": name}}
                yield self.workflow(f"{name} {way}", fetch)
            signed = {**sent, "sign": {"credential": "sign"}}
            fetch = {"uses": "http.request", "with": signed}
            yield self.workflow(f"sign {way}", fetch)

    def several(self, urls: Mapping[str, str]) -> Iterator[str]:
        """Hooks that call each URL with many secrets that are written into one step."""
        for way, url in urls.items():
            told = {
                each: canary(f"several-{each}", '"<>/+\\')
                for each in ("first", "second", "cookie", "query", "list")
            }
            deep = canary("several-deep", '"<>/+\\ü')
            self.canaries |= {f"several {n} {way}": v for n, v in told.items()}
            self.canaries[f"several deep {way}"] = deep
            fetch = {
                "uses": "http.request",
                "with": {
                    "method": "POST",
                    "url": url,
                    "headers": {
                        "Authorization": f"Bearer {told['first']}",
                        "X-Token": told["second"],
                        "Cookie": f"sid={told['cookie']}",
                    },
                    "query": {
                        "api_key": [told["query"], "{{ trigger.body.name || 'x' }}"]
                    },
                    "json": {"all": [{"password": deep}, {"token": [told["list"]]}]},
                },
                "retry": {"attempts": 2, "base": 0.1},
            }
            yield self.workflow(f"several {way}", fetch)

    def odd_ends(self, url: str) -> Iterator[str]:
        """Hooks whose later steps fail over what came back."""
        sent = {"url": url, "credential": "bearer"}
        fetch = {
            "uses": "http.request",
            "with": sent,
            "retry": {"attempts": 2, "base": 0.1},
        }
        yield self.workflow("stopped", fetch, STOPPED)
        joined = "{{ join(', ', steps.fetch.output.body) }}"
        wrong = {"id": "wrong", "uses": "set", "with": {"value": joined}}
        yield self.workflow("wrong expression", fetch, wrong)
        settings = {"url": "{{ steps.fetch.output.body }}", "credential": "bearer"}
        misfit = {"id": "misfit", "uses": "http.request", "with": settings}
        yield self.workflow("wrong settings", fetch, misfit)
        twice = {**sent, "headers": {"Authorization": "mine"}}
        yield self.workflow("twice", {"uses": "http.request", "with": twice})

    def messages(self, urls: Mapping[str, str]) -> Iterator[str]:
        """Hooks that post to secret addresses, stored or written into a workflow."""
        for kind, (way, url) in product(("slack", "discord"), urls.items()):
            stored, inline = canary(kind), canary(f"{kind}-inline")
            name = f"{kind} {way}"
            self.keep(name, kind, stored, url=f"{url}/services/{stored}")
            self.canaries[f"{name} inline"] = inline
            for title, where in (
                (name, {"credential": name}),
                (f"{name} inline", {"url": f"{url}/services/{inline}"}),
            ):
                fetch = {"uses": f"{kind}.message", "with": {**where, "text": "hi"}}
                yield self.workflow(title, fetch)

    def doors(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Hooks whose senders show a secret, and the header that shows it."""
        for scheme, header, word in (
            ("gitlab-token", "X-Gitlab-Token", ""),
            ("bearer", "Authorization", "Bearer "),
        ):
            secret = self.canaries[f"verify {scheme}"] = canary(scheme)
            trigger = {
                "type": "webhook",
                "respond": "on_finish",
                "verify": {"scheme": scheme, "secret": secret},
            }
            fetch = {"uses": "set", "with": {"value": "{{ trigger.headers }}"}}
            hook = self.workflow(f"verify {scheme}", fetch, trigger=trigger)
            yield hook, {header: f"{word}{secret}"}
