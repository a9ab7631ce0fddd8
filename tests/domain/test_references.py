import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import references
from app.domain.expression import Scope
from app.domain.references import Named
from app.domain.template import Template

URL = "https://hooks.slack.com/services/T0/B0/canary"


def hook(secret, **more):
    verify = {"scheme": "github", "secret": secret, **more}
    return {"trigger": {"type": "webhook", "verify": verify}, "steps": []}


def steps(*given, section="steps"):
    return {"trigger": {"type": "manual"}, "steps": [], section: list(given)}


def message(uses="slack.message", **settings):
    return {"id": "tell", "uses": uses, "with": {"text": "hi", **settings}}


def found(definition):
    return [
        (each.path, each.type, each.label, each.secret or each.name)
        for each in references.spots(definition)
    ]


def test_the_secret_of_a_signature_is_found():
    path = ("trigger", "verify", "secret")

    assert found(hook("s3cret")) == [(path, "secret", "verify", "s3cret")]
    assert found(hook({"credential": "one"})) == [
        ((*path, "credential"), "secret", "verify", "one")
    ]


def test_each_of_several_secrets_is_found():
    definition = hook(["s3cret", {"credential": "one"}], verify_token="t0ken")

    assert [each[0] for each in found(definition)] == [
        ("trigger", "verify", "secret", 0),
        ("trigger", "verify", "secret", 1, "credential"),
        ("trigger", "verify", "verify_token"),
    ]
    assert references.names(definition) == {"one"}


@pytest.mark.parametrize("section", ["steps", "on_failure"])
@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_the_address_of_a_message_is_found(kind, section):
    step = message(f"{kind}.message", url=URL)

    assert found(steps(step, section=section)) == [
        ((section, 0, "with", "url"), kind, "tell", URL)
    ]


def test_a_template_is_no_secret():
    assert found(steps(message(url="{{ vars.url }}"))) == []
    assert found(steps(message("http.request", sign={"secret": "{{ vars.s }}"}))) == []


def test_the_url_of_a_request_is_no_secret():
    assert found(steps(message("http.request", url=URL))) == []


def calling(**settings):
    return {"id": "call", "uses": "http.request", "with": {"url": URL, **settings}}


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "x-gitlab-token"])
def test_a_header_that_is_named_like_a_secret_is_found_and_replaced(name):
    headers = {"Accept": "text/csv", name: "Bearer s3cret"}
    definition = steps(calling(headers=headers))
    [spot] = references.spots(definition)

    changed = references.with_names(definition, {spot.path: "call 1"})

    assert (spot.type, spot.secret) == ("secret", "Bearer s3cret")
    assert changed == steps(
        calling(headers={**headers, name: {"credential": "call 1"}})
    )


ALL = calling(
    headers={
        "Authorization": "s1",
        "X-Token": "s2",
        "X-Who": "Basic s3",
        "Accept": "*",
    },
    query={"api_key": ["s4", "{{ vars.k }}", "s5"], "page": "2"},
    form={"password": "s6", "user": "ada"},
    json={"auth": {"client_secret": "s7", "grant": "x"}, "all": [{"token": ["s8"]}]},
    sign={"secret": "s9"},
)


@pytest.mark.parametrize("section", ["steps", "on_failure"])
def test_of_several_secrets_in_a_step_each_is_found_in_its_place(section):
    definition = steps(ALL, section=section)
    found = {each.path[3:]: each.secret for each in references.spots(definition)}

    assert found == {
        ("headers", "Authorization"): "s1",
        ("headers", "X-Token"): "s2",
        ("headers", "X-Who"): "Basic s3",
        ("query", "api_key", 0): "s4",
        ("query", "api_key", 2): "s5",
        ("form", "password"): "s6",
        ("json", "auth", "client_secret"): "s7",
        ("json", "all", 0, "token", 0): "s8",
        ("sign", "secret"): "s9",
    }


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("headers", "X-Auth"), ("headers", "X-Api-Key-V2"), ("headers", "Signature"),
        ("headers", "Ocp-Apim-Subscription-Key"), ("query", "key"), ("query", "sig"),
        ("query", "code"), ("form", "pass"), ("json", "credentials"), ("json", "pwd"),
    ],
)  # fmt: skip
def test_places_have_names_of_secrets_of_their_own(place, name):
    assert found(steps(calling(**{place: {name: "s3cret"}})))
    assert not found(steps(calling(**{place: {"page": "2"}})))


def test_names_in_their_places_are_told_from_other_json():
    named = {"credential": "mine"}
    step = calling(
        headers={"X-Who": named, "Accept": "*"},
        query={"key": [named]},
        json={"token": named, "offer": named, "text": "{{ trigger.body }}"},
    )

    marked = references.marked(step)

    assert {each.name for each in references.spots(steps(step))} == {"mine"}
    assert isinstance(marked["headers"]["X-Who"], Named)
    assert isinstance(marked["query"]["key"][0], Named)
    assert isinstance(marked["json"]["token"], Named)
    assert marked["json"]["token"].name == "mine"
    assert str(marked["json"]["token"]) == "[redacted]"
    assert marked["json"]["offer"] == named
    assert step["with"]["headers"]["X-Who"] == named


def test_what_an_event_brings_is_never_a_name():
    step = calling(json="{{ trigger.body }}")
    template = Template(references.marked(step))

    event = {"body": {"token": {"credential": "mine"}}}
    filled = template.render(Scope({"trigger": event}))

    assert filled["json"] == event["body"]
    assert type(filled["json"]["token"]) is dict


@pytest.mark.parametrize(
    "settings",
    [
        {"headers": {"Authorization": "Bearer {{ vars.token }}"}},
        {"headers": {"Accept": "text/csv", "Idempotency-Key": "k"}},
        {"headers": {"Authorization": 7}},
        {"headers": ["Authorization"]},
    ],
)
def test_other_headers_are_no_secrets(settings):
    assert found(steps(calling(**settings))) == []


def test_beside_a_credential_a_header_is_found_too():
    definition = steps(calling(headers={"X-Token": "s3cret"}, credential="mine"))

    told = [each.name or each.secret for each in references.spots(definition)]
    assert told == ["mine", "s3cret"]


def test_what_signs_a_request_is_found():
    step = message("http.request", sign={"secret": "whsec_canary"})

    assert found(steps(step)) == [
        (("steps", 0, "with", "sign", "secret"), "secret", "tell", "whsec_canary")
    ]


def test_a_credential_that_signs_a_request_is_found():
    step = message("http.request", sign={"credential": "partner"})

    [spot] = references.spots(steps(step))

    path = ("steps", 0, "with", "sign", "credential")
    assert (spot.path, spot.type, spot.name) == (path, "secret", "partner")


def test_the_credential_of_any_step_is_found():
    definition = steps(message(credential="team"), message("ftp.put", credential="x"))

    assert [(each.uses, each.name) for each in references.spots(definition)] == [
        ("slack.message", "team"),
        ("ftp.put", "x"),
    ]
    assert references.names(definition) == {"team", "x"}


def test_names_take_the_place_of_secrets_and_nothing_else_changes():
    definition = hook(["s3cret", {"credential": "one"}], tolerance=60)
    definition["steps"] = [message(url=URL)]
    before = copy.deepcopy(definition)

    changed = references.with_names(
        definition,
        {
            ("trigger", "verify", "secret", 0): "verify 1",
            ("steps", 0, "with", "url"): "tell 1",
        },
    )

    assert definition == before
    expected = hook([{"credential": "verify 1"}, {"credential": "one"}], tolerance=60)
    assert changed == {**expected, "steps": [message(credential="tell 1")]}
    assert references.names(changed) == {"one", "verify 1", "tell 1"}


KEYS = ["trigger", "verify", "secret", "sign", "steps", "with", "uses", "url", "id"]
KEYS += ["headers", "query", "form", "json", "token"]
WORDS = st.sampled_from(["slack.message", "http.request", "s3cret", "{{ vars.x }}"])
JSON = st.recursive(
    st.none() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "credential"]), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(["trigger", "steps", "on_failure"]), JSON))
def test_a_definition_of_any_shape_is_searched_and_changed(definition):
    secrets = [each for each in references.spots(definition) if each.secret is not None]

    changed = references.with_names(
        definition, {each.path: f"n{n}" for n, each in enumerate(secrets)}
    )

    assert not [each for each in references.spots(changed) if each.secret is not None]
