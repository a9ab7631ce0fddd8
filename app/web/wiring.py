"""Puts the web layer into a Flask app, in the order in which its parts must run."""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from app.web import (
    accounts,
    api_keys,
    audit,
    auth,
    consents,
    credentials,
    docs,
    errorhandlers,
    executions,
    health,
    hooks,
    invitations,
    members,
    requests,
    sessions,
    workflows,
)
from app.web.answers import Json
from app.web.front import HOOKS, Front
from app.web.gatehouse import GUARDED, Gatehouse
from app.web.services import Services

PARTS = (
    accounts,
    api_keys,
    audit,
    members,
    invitations,
    sessions,
    workflows,
    credentials,
    consents,
    executions,
    hooks,
    health,
    docs,
)
PREFLIGHT = 300  # seconds a browser may remember what it was allowed
SENDABLE = ("Authorization", "Content-Type", "X-CSRF-Token", "X-Request-Id")


class Rest(BaseConverter):
    """Whatever follows, slashes and nothing included."""

    regex = ".*?"
    part_isolating = False
    weight = 300


def install(  # noqa: PLR0913
    app: Flask,
    services: Services,
    *,
    cors_origins: Sequence[str],
    trusted_hosts: Sequence[str],
    proxy_hops: int,
    swift_hooks: bool = True,
) -> None:
    """Add every route, and what stands before and behind them.

    Args:
        app: made with ``static_folder=None``.
        services: what endpoints use.
        cors_origins: origins whose pages may call, texts or regular expressions.
        trusted_hosts: names this service answers to; none: any.
        proxy_hops: proxies in front whose ``X-Forwarded-*`` are believed.
        swift_hooks: whether the event loop may take webhooks.
    """
    services.install(app)
    app.json = Json(app)
    app.config["TRUSTED_HOSTS"] = list(trusted_hosts) or None
    app.url_map.merge_slashes = False  # a redirect would lose an event
    app.url_map.converters["rest"] = Rest
    requests.install(app)
    auth.install(app)
    errorhandlers.install(app)
    if cors_origins:
        _allow(app, cors_origins)
    for each in PARTS:
        app.register_blueprint(each.bp)
    front = Front(app.wsgi_app, services, trusted_hosts=trusted_hosts)
    gatehouse = Gatehouse(front, services)
    app.wsgi_app = gatehouse  # type: ignore[method-assign]
    if proxy_hops:
        app.wsgi_app = _believing(app.wsgi_app, proxy_hops)  # type: ignore[method-assign]
    take: Any = gatehouse.take  # called as an application is
    app.extensions["taker"] = _believing(take, proxy_hops) if proxy_hops else take
    app.extensions["caller"] = partial(services.callers.name, hops=proxy_hops)
    app.extensions["taken"] = (*GUARDED, *([HOOKS] if swift_hooks else []))


def _allow(app: Flask, origins: Sequence[str]) -> None:
    # these lines quote paths, and with them the tokens of webhooks
    logging.getLogger("flask_cors.extension").setLevel(logging.WARNING)
    CORS(
        app,
        origins=list(origins),
        supports_credentials=True,
        max_age=PREFLIGHT,
        allow_headers=list(SENDABLE),
        expose_headers=list(requests.READABLE),
        always_send=False,
        intercept_exceptions=False,  # every error has a handler, and so an answer
        vary_header=False,  # `requests` adds it to every answer
    )


def _believing(app: Any, hops: int) -> ProxyFix:
    return ProxyFix(app, x_for=hops, x_proto=hops, x_host=hops)
