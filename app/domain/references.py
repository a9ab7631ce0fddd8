"""Where a definition needs a secret: written into it, or named as a credential.

Definitions come as clients sent them, so nothing about their shape is taken for
granted here; what does not fit is the compiler's to refuse.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import masking
from app.domain.workflow import Definition

# Kinds of steps with a `url` that is a secret, and the type of credential it becomes.
OWN_TYPES: Mapping[str, str] = {"slack.message": "slack", "discord.message": "discord"}
CALLING, HEADERS = "http.request", "headers"
SECTIONS = ("steps", "on_failure")
VERIFYING = ("secret", "verify_token")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a definition: a secret stands there, or the name of a credential."""

    path: Path
    type: str | None  # of the credential that fits; None: what `uses` takes
    uses: str = ""  # the kind of step whose setting `credential` this is
    label: str  # what the secret is for, in a word
    name: str | None = None
    secret: str | None = field(default=None, repr=False)
    header: str = ""  # whose value the secret is


def spots(definition: Definition) -> Iterator[Spot]:
    """Find every place."""
    trigger = definition.get("trigger")
    if isinstance(trigger, dict) and isinstance(trigger.get("verify"), dict):
        for key in VERIFYING:
            yield from _secrets(trigger["verify"], ("trigger", "verify", key), "verify")
    for section in SECTIONS:
        steps = definition.get(section)
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict) and isinstance(step.get("with"), dict):
                yield from _of_step(step, (section, index, "with"))


def names(definition: Definition) -> frozenset[str]:
    """Return the names of all credentials that a definition needs."""
    return frozenset(each.name for each in spots(definition) if each.name is not None)


def with_names(definition: Definition, named: Mapping[Path, str]) -> dict[str, Any]:
    """Return a copy that holds names of credentials in the place of secrets."""
    changed = copy.deepcopy(dict(definition))
    for path, name in named.items():
        *way, last = path
        holder = _at(changed, way)
        if last == "url":
            del holder["url"]
            holder["credential"] = name
        elif way[-1] == HEADERS:
            del holder[last]
            _at(changed, way[:-1])["credential"] = name
        else:
            holder[last] = {"credential": name}
    return changed


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


def _of_step(step: Mapping[str, Any], base: Path) -> Iterator[Spot]:
    values, uses = step["with"], step.get("uses")
    own = OWN_TYPES.get(uses) if isinstance(uses, str) else None
    label = step["id"] if isinstance(step.get("id"), str) else "step"
    if isinstance(name := values.get("credential"), str):
        path = (*base, "credential")
        kind = uses if isinstance(uses, str) else ""
        yield Spot(path=path, type=None, uses=kind, label=label, name=name)
    found: list[Spot] = []
    if own is not None and isinstance(url := values.get("url"), str):
        found.append(Spot(path=(*base, "url"), type=own, label=label, secret=url))
    if uses == CALLING and (header := _telling(values)) is not None:
        path, secret = (*base, HEADERS, header), values[HEADERS][header]
        found.append(
            Spot(path=path, type="header", label=label, secret=secret, header=header)
        )
    if isinstance(sign := values.get("sign"), dict):
        found += _secret(sign, (*base, "sign"), label)
        found += _secrets(sign, (*base, "sign", "secret"), label)
    for each in found:
        if "{{" not in (each.secret or ""):  # else it is known at run time only
            yield each


def _telling(values: Mapping[str, Any]) -> str | None:
    """Return the first header that holds a secret, where a credential can hold it."""
    headers = values.get(HEADERS)
    if "credential" in values or not isinstance(headers, dict):
        return None
    told = (
        name
        for name, value in headers.items()
        if isinstance(name, str)
        and masking.tells(name)
        and isinstance(value, str)
        and value.strip()
        and "{{" not in value
    )
    return next(told, None)


def _secrets(holder: Mapping[str, Any], path: Path, label: str) -> Iterator[Spot]:
    value = holder.get(str(path[-1]))
    if not isinstance(value, list):
        yield from _secret(value, path, label)
        return
    for index, each in enumerate(value):
        yield from _secret(each, (*path, index), label)


def _secret(value: Any, path: Path, label: str) -> Iterator[Spot]:
    if isinstance(value, str):
        yield Spot(path=path, type="secret", label=label, secret=value)
    elif isinstance(value, dict) and isinstance(name := value.get("credential"), str):
        path = (*path, "credential")
        yield Spot(path=path, type="secret", label=label, name=name)
