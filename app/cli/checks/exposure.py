"""Which doors a server's settings leave open."""

import re
from collections.abc import Iterator, Mapping

from app.cli.checks.findings import Finding, ok, problem, warning
from app.settings import Settings

ANYBODY = "https://anybody.example"  # an origin that nobody lists
LOCAL = ("127.0.0.1", "::1", "[::1]", "localhost")


def check(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Compare the settings with what a server on the Internet should have."""
    found = [*_origins(settings), *_outbound(settings)]
    if settings.production:
        found += _production(settings)
    else:
        found += _development(env.get("SLUICE_BIND") or LOCAL[0])
    yield from found or [ok("settings", f"{settings.env}, nothing left open")]


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.signup == "open":
        yield warning(
            "signup",
            "SLUICE_SIGNUP=open",
            expected="`first` in production",
            advice="Anybody may register and run workflows; unset it if not meant",
        )
    if not settings.trusted_hosts:
        yield warning(
            "hosts",
            "SLUICE_TRUSTED_HOSTS is unset",
            expected="the names of this server",
            advice="Set it to the host of SLUICE_PUBLIC_URL",
        )
    if not settings.base_url.startswith("https://"):
        yield warning(
            "public-url",
            f"SLUICE_PUBLIC_URL is {settings.base_url}",
            expected="https://",
            advice="Senders and browsers need the address that they reach; set it",
        )
    if settings.private_allowed:
        yield warning(
            "outbound",
            "SLUICE_OUTBOUND_PRIVATE=allow",
            expected="`deny` in production",
            advice="Open single ranges with SLUICE_OUTBOUND_ALLOW",
        )


def _development(host: str) -> Iterator[Finding]:
    if host not in LOCAL:
        yield problem(
            "environment",
            f"SLUICE_BIND is {host} without SLUICE_ENV=production",
            expected="production, where others can connect",
            advice="Set SLUICE_ENV=production and its keys: metrics and private"
            " addresses are open in development",
        )


def _origins(settings: Settings) -> Iterator[Finding]:
    open_to_all = [each for each in settings.origins if _admits_anybody(each)]
    if open_to_all:
        yield problem(
            "cors",
            "SLUICE_CORS_ORIGINS lets in every web page",
            expected="the origins of your own pages",
            advice="List them; any page could use the session of whoever visits it",
        )


def _outbound(settings: Settings) -> Iterator[Finding]:
    wide = [str(each) for each in settings.outbound_allow if each.prefixlen == 0]
    if wide:
        yield problem(
            "outbound",
            f"SLUICE_OUTBOUND_ALLOW has {', '.join(wide)}",
            expected="the ranges that workflows need",
            advice="List single ranges; this opens loopback and the services from"
            " which clouds hand out credentials",
        )


def _admits_anybody(origin: str) -> bool:
    """Tell whether an origin, or the pattern of some, fits one that is not listed."""
    if origin == "*":
        return True
    try:
        return re.match(origin, ANYBODY, re.IGNORECASE) is not None
    except re.error:
        return False
