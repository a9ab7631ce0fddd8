"""What docs/workflows.md says about the language is what the code does."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jmespath.functions import Functions
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.connectors.catalog import CATALOG
from app.connectors.network import Dialing
from app.connectors.registry import Connector, Registry
from app.domain import body
from app.domain.errors import DeadlineExceeded, Invalid, Unsealable
from app.domain.expression import Expression, Scope
from app.domain.template import Template
from app.engine import course, plaintext, plan
from app.engine.definition import (
    DefinitionShape,
    Later,
    LimitsShape,
    RetryShape,
    StepShape,
    TriggerShape,
)
from app.engine.plan import Compiler
from app.engine.reading import ROOTS
from app.settings import Settings
from app.web import waiting

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/workflows.md").read_text()
COMPILER = Compiler(Registry(*CATALOG))
BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHAPES: dict[str, type[BaseModel]] = {
    "## The definition": DefinitionShape,
    "### The trigger": TriggerShape,
    "### A step": StepShape,
    "### Retry": RetryShape,
}
MADE_OF_SHAPES = frozenset({"limits", "retry"})  # whose defaults are told apart


def section(heading: str) -> str:
    """The text from a heading to the next one of any level."""
    _, found, rest = PAGE.partition(f"\n{heading}\n")
    assert found, heading
    return re.split(r"\n##+ ", rest)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    table = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [re.split(r"(?<!\\) ?\| ?", line) for line in table[2:]]


def blocks(language: str) -> list[str]:
    return [found for name, found in BLOCK.findall(PAGE) if name == language]


def definitions() -> Iterator[Any]:
    """Every example; what is a step, or some steps, gets a trigger."""
    for text in blocks("json"):
        shown = json.loads(text)
        steps = shown if isinstance(shown, list) else [shown]
        is_whole = "steps" in steps[0]
        yield shown if is_whole else {"trigger": {"type": "webhook"}, "steps": steps}


def names(shape: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields that a person may write."""
    return {
        field.alias or name: field
        for name, field in shape.model_fields.items()
        if Later.__metadata__[0] not in field.metadata
    }


def default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or name in MADE_OF_SHAPES:
        return "none"
    return f"`{json.dumps(value)}`"


def told_of(shape: type[BaseModel]) -> dict[str, str]:
    return {f"`{name}`": default(name, each) for name, each in names(shape).items()}


@pytest.mark.parametrize("definition", list(definitions()), ids=str)
def test_every_example_compiles_and_fits_the_schema(definition):
    COMPILER.compile(definition)
    jsonschema_rs.Draft202012Validator(dict(COMPILER.language)).validate(definition)


@pytest.mark.parametrize("heading", SHAPES)
def test_the_tables_of_fields_name_all_and_their_defaults(heading):
    table = {cells[0]: cells[2] for cells in rows(section(heading))}

    assert table == told_of(SHAPES[heading])


def test_of_the_limits_there_is_only_the_timeout():
    assert list(names(LimitsShape)) == ["timeout"]


def test_every_kind_of_step_has_a_section_and_an_example():
    _, _, kinds = PAGE.partition("## Kinds of steps")
    told = re.findall(r"^### `([a-z.]+)`$", kinds, re.MULTILINE)

    assert sorted(told) == sorted(kind.name for kind in CATALOG)
    for kind in CATALOG:
        assert f'"uses": "{kind.name}"' in section(f"### `{kind.name}`")


@pytest.mark.parametrize("kind", CATALOG, ids=lambda kind: kind.name)
def test_the_table_of_a_kind_names_all_its_settings_and_their_defaults(
    kind: type[Connector],
):
    table = {cells[0]: cells[2] for cells in rows(section(f"### `{kind.name}`"))}

    assert table == told_of(kind)


def example_scope() -> Scope:
    (event,) = blocks("event")
    return Scope(
        {
            "trigger": {
                "body": json.loads(event),
                "headers": {"x-github-event": "issues"},
            },
            "steps": {},
            "vars": {"least": 100},
            "execution": {},
        }
    )


def shown(language: str) -> list[tuple[str, str]]:
    lines = "".join(blocks(language)).splitlines()
    pairs = [line.strip().split(" → ") for line in lines if line.strip()]
    return [(source.strip(), result) for source, result in pairs]


@pytest.mark.parametrize(("source", "result"), shown("expressions"))
def test_an_expression_gives_what_the_page_says(source, result):
    assert Expression(source).evaluate(example_scope()) == json.loads(result)


@pytest.mark.parametrize(("source", "result"), shown("templates"))
def test_a_template_becomes_what_the_page_says(source, result):
    assert Template(source).render(example_scope()) == json.loads(result)


def test_all_functions_and_roots_are_listed():
    listed = PAGE.partition("All functions: ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(Functions.FUNCTION_TABLE)

    table = {cells[0]: cells[1] for cells in rows(section("## Expressions"))}
    assert set(table) == {f"`{root}`" for root in ROOTS}
    for root, fields in ROOTS.items():
        missing = [
            each for each in fields or () if f"`{each}`" not in table[f"`{root}`"]
        ]
        assert missing == []


def test_bodies_become_what_the_page_says():
    tried = 0
    for kinds, given, value in rows(section("## Bodies")):
        if given:
            tried += 1
            kind = re.findall(r"`([^`]+/[^`]+)`", kinds)[0]
            found = body.decode(given.strip("`").encode(), kind)
            assert found.value == json.loads(value.strip("`"))

    assert tried == 3
    assert body.decode(b"", None).error
    assert body.decode(b"x", "image/png").error


def codes_in_the_code() -> Iterator[str]:
    """What `StepFailed` and `Failure` are made with."""
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="StepFailed" | "Failure"),
                    args=[ast.Constant(value=str(code)), *_],
                ):
                    yield code
    yield from (DeadlineExceeded.code, Unsealable.code)


def test_the_table_of_failure_codes_names_exactly_those_of_the_code():
    table = rows(section("## Failure codes"))
    told = [cells[0].strip("`") for cells in table]

    assert sorted(told) == sorted(set(codes_in_the_code()))
    assert all(len(cells) == 4 and all(cells) for cells in table)


def test_the_numbers_are_those_of_the_code():
    table = {
        cells[0].split(",")[0]: cells[1]
        for cells in rows(section("## Times and limits"))
    }
    settings = Settings()

    assert table["one attempt of a step"] == f"{plan.STEP_TIMEOUT:g} s"
    assert table["a whole run"] == f"{plan.EXECUTION_TIMEOUT:g} s"
    assert table["all of `on_failure`"] == f"{course.ON_FAILURE_TIMEOUT:g} s"
    assert table["connecting to a server"] == f"{Dialing().limit:g} s"
    assert table["a sender who waits (`respond: on_finish`)"] == f"{waiting.FINISH:g} s"
    assert table["a definition"].startswith(f"{plaintext.MAX_BYTES} bytes")
    assert table["a definition"].endswith(f"at most {plaintext.MAX_DEPTH} deep")
    assert table["steps"].startswith(f"{settings.max_steps} ")
    assert table["the request's body"].startswith(f"{settings.max_body} ")
    assert table["one step's output"].startswith(f"{settings.max_output} ")
    assert f"{settings.execution_timeout:g} s" in section("## Times and limits")


NOT_YET = [
    ("type: schedule", {"trigger": {"type": "schedule"}}),
    ("overload: spill", {"trigger": {"type": "webhook", "overload": "spill"}}),
    ("on_unknown: stop", {"on_unknown": "stop"}),
    ("ask", {"on_unknown": "ask"}),
    ("check", {"on_unknown": "check"}),
    ("workflow.run", {"uses": "workflow.run"}),
    ("item", {"if": "item.id"}),
    ("index", {"if": "index"}),
    *[(name, {"trigger": {"type": "webhook", name: "a"}})
      for name in sorted(TriggerShape.model_fields.keys() - names(TriggerShape))],
    *[(name, {"limits": {name: "a"}})
      for name in sorted(LimitsShape.model_fields.keys() - names(LimitsShape))],
]  # fmt: skip


@pytest.mark.parametrize(("name", "said"), NOT_YET)
def test_what_is_said_to_be_unsupported_is_refused_as_such(name, said):
    assert f"`{name}`" in section("## Not supported yet")
    whole = {key: said[key] for key in said if key in DefinitionShape.model_fields}
    step = {key: said[key] for key in said if key not in whole}
    note = {"id": "a", "uses": "log", "with": {"message": "a"}}

    with pytest.raises(Invalid) as refused:
        COMPILER.compile(
            {"trigger": {"type": "webhook"}, "steps": [note | step], **whole}
        )

    assert "not supported yet" in refused.value.faults[0].message


def anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    local = [each.partition("#") for each in links if "://" not in each]

    assert local
    for path, _, name in local:
        text = (ROOT / "docs" / path).read_text() if path else PAGE
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert name in {"", *map(anchor, headings)}
