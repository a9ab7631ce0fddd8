"""Where a definition needs a secret: written into it, or named as a credential.

Definitions come as clients sent them, so nothing about their shape is taken for
granted here; what does not fit is the compiler's to refuse.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from app.domain import masking
from app.domain.workflow import Definition

# Kinds of steps with a `url` that is a secret, and the type of credential it becomes.
OWN_TYPES: Mapping[str, str] = {"slack.message": "slack", "discord.message": "discord"}
CALLING = "http.request"
FLAT = ("headers", "query", "form")  # of such a step: texts by name
PLACES = (*FLAT, "json")  # where its settings may name a credential for one value
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


class Named(str):
    """The name of a credential in the place of a text that is sent.

    Only a definition can hold one: what events and servers bring is plain JSON. As text
    it is what is shown in the place of secrets, and never the name.
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, name: str) -> Self:
        made = super().__new__(cls, masking.STANDS_FOR)
        made.name = name
        return made


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
        if last == "url" and way[-1] == "with":
            del holder["url"]
            holder["credential"] = name
        else:
            holder[last] = {"credential": name}
    return changed


def marked(step: Mapping[str, Any]) -> Any:
    """Return the settings of a step, names of credentials told from other JSON."""
    values = step["with"]
    if not isinstance(values, dict):
        return values
    places = [
        (each.path[:-1], each.name)
        for each in _of_step(step, ())
        if each.name is not None and each.path[0] in PLACES
    ]
    if not places:
        return values
    changed = copy.deepcopy(values)
    for (*way, last), name in places:
        _at(changed, way)[last] = Named(name)
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
    if uses == CALLING:
        yield from _of_call(values, base, label)
    if isinstance(sign := values.get("sign"), dict):
        found += _secret(sign, (*base, "sign"), label)
        found += _secrets(sign, (*base, "sign", "secret"), label)
    for each in found:
        if "{{" not in (each.secret or ""):  # else it is known at run time only
            yield each


def _of_call(values: Mapping[str, Any], base: Path, label: str) -> Iterator[Spot]:
    for place in FLAT:
        members = values.get(place)
        for name, value in members.items() if isinstance(members, dict) else ():
            at, told = (*base, place, name), tells_in(place, name)
            for path, each in _listed(value, at):
                if (named := _named(each)) is not None:
                    yield _reference(path, label, named)
                elif _is_secret(each) and (told or masking.shows(each)):
                    yield Spot(path=path, type="secret", label=label, secret=each)
    yield from _in_json(values.get("json"), (*base, "json"), label)


def tells_in(place: str, name: str) -> bool:
    """Tell whether what bears a name in one of the places is a secret."""
    if place == "headers":
        return masking.header_tells(name)
    return masking.parameter_tells(name) if place == "query" else masking.tells(name)


def _in_json(
    value: Any, path: Path, label: str, *, told: bool = False
) -> Iterator[Spot]:
    """Find what stands under the name of a secret, however deep."""
    if told and (named := _named(value)) is not None:
        yield _reference(path, label, named)
    elif isinstance(value, dict):
        for name, each in value.items():
            tells = told or masking.tells(name)
            yield from _in_json(each, (*path, name), label, told=tells)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _in_json(each, (*path, index), label, told=told)
    elif told and _is_secret(value):
        yield Spot(path=path, type="secret", label=label, secret=value)


def _listed(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((*path, index), each) for index, each in enumerate(value))
    else:
        yield path, value


def _named(value: Any) -> str | None:
    """Return the name, if a value is that of a credential and nothing else."""
    if isinstance(value, dict) and value.keys() == {"credential"}:
        name = value["credential"]
        return name if isinstance(name, str) else None
    return None


def _is_secret(value: Any) -> bool:
    """Tell whether a value that should be secret is written into the definition."""
    return isinstance(value, str) and bool(value.strip()) and "{{" not in value


def _reference(path: Path, label: str, name: str) -> Spot:
    return Spot(path=(*path, "credential"), type="secret", label=label, name=name)


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
        yield _reference(path, label, name)
