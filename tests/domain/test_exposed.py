import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import exposed

SECRET = "s3cret-8f2c"
HOLE = "{{ vars.x }}"
CHANNEL = "https://hooks.slack.com/services/T0/B0/"


def calling(section="steps", **settings):
    step = {
        "id": "call",
        "uses": "http.request",
        "with": {"url": "https://x", **settings},
    }
    return {"steps": [], section: [step]}


def other(uses, **settings):
    return {"steps": [{"id": "a", "uses": uses, "with": settings}]}


def pointers(definition):
    found = list(exposed.faults(definition))
    assert SECRET not in str(found)
    return [each.pointer for each in found]


IN_VARS = {
    "/api_key": {"api_key": SECRET},
    "/crm/all/0/token/0": {"crm": {"all": [{"token": [SECRET]}]}},
}


@pytest.mark.parametrize("pointer", IN_VARS)
def test_constants_hold_no_secrets(pointer):
    assert pointers({"vars": IN_VARS[pointer]}) == [f"/vars{pointer}"]


@pytest.mark.parametrize(
    ("uses", "settings", "pointer"),
    [
        ("set", {"value": {"password": SECRET}}, "/value/password"),
        ("set", {"value": {"a": [{"pwd": {"v": SECRET}}]}}, "/value/a/0/pwd/v"),
        ("set", {"value": {"password": HOLE + SECRET}}, "/value/password"),
        ("log", {"message": "x", "fields": {"token": SECRET}}, "/fields/token"),
        ("respond", {"headers": {"X-Api-Key": SECRET}}, "/headers/X-Api-Key"),
        ("slack.message", {"url": f"{CHANNEL}{SECRET}{HOLE}"}, "/url"),
    ],
)
def test_steps_that_call_nobody_hold_no_secrets(uses, settings, pointer):
    assert pointers(other(uses, **settings)) == [f"/steps/0/with{pointer}"]


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"url": f"https://x/?a=1&api_key={SECRET}"}, "/url"),
        ({"url": f"https://{HOLE}/?api%5Fkey={SECRET}#a"}, "/url"),
        ({"url": f"https://x/?q={{{{ a[?b] && c }}}}&token={SECRET}"}, "/url"),
        ({"url": f"https://me:{SECRET}@{HOLE}/"}, "/url"),
        ({"headers": {"X-Token": f"Bearer {SECRET}{HOLE}"}}, "/headers/X-Token"),
        ({"headers": {"X-Token": f"{{{{ '{SECRET}' }}}}"}}, "/headers/X-Token"),
        ({"headers": {"X-Token": f'{{{{ `"{SECRET}"` }}}}'}}, "/headers/X-Token"),
        ({"headers": {"X-Who": f"Bearer {SECRET}{HOLE}"}}, "/headers/X-Who"),
        ({"headers": {"Cookie": f"sid={SECRET}; a={HOLE}"}}, "/headers/Cookie"),
        ({"headers": {"X-Token": 1234567890}}, "/headers/X-Token"),
        ({"query": {"token": [HOLE, f"{SECRET}{HOLE}"]}}, "/query/token/1"),
        ({"json": {"a": [{"token": f"{SECRET} {HOLE}"}]}}, "/json/a/0/token"),
        ({"json": {"token": {"pin": 1234567890}}}, "/json/token/pin"),
        ({"body": f'{{"user": {{"password": "{SECRET}"}}}}'}, "/body"),
        ({"body": f"user=ada&password={SECRET}"}, "/body"),
        ({"sign": {"secret": f"whsec_{SECRET}{HOLE}"}}, "/sign/secret"),
        ({"url": f"https://x/#access_token={SECRET}"}, "/url"),
        ({"url": f"https://x/{{{{ '?token={SECRET}' }}}}"}, "/url"),
        ({"headers": {"X-Token": {"Bearer": SECRET}}}, "/headers/X-Token"),
        ({"query": {"sig": [[SECRET]]}}, "/query/sig"),
        ({"form": {"more": {"password": SECRET}}}, "/form/more"),
        ({"json": f'{{"password": "{SECRET}"}}'}, "/json"),
        ({"json": {"payload": f'[{{"password": "{SECRET}"}}]'}}, "/json/payload"),
        ({"json": f"{{{{ {{password: '{SECRET}'}} }}}}"}, "/json"),
        ({"headers": f'{{{{ {{"x-token": `"{SECRET}"`}} }}}}'}, "/headers"),
    ],
)
@pytest.mark.parametrize("section", ["steps", "on_failure"])
def test_what_a_call_cannot_have_sealed_is_pointed_at(section, settings, pointer):
    assert pointers(calling(section, **settings)) == [f"/{section}/0/with{pointer}"]


@pytest.mark.parametrize(
    "definition",
    [
        {"vars": {"token": "none", "channel": "#a-long-enough-channel", "secret": ""}},
        {"vars": {"max_tokens": 123456789, "has_token": True}},
        other("set", value={"password": "{{ trigger.body.password }}"}),
        other("set", value={"token": "{{ trigger.body.token || 'none' }}"}),
        other("slack.message", url="https://hooks.slack.com/services/{{ vars.path }}"),
        other("slack.message", url=f"https://hooks.slack.com/services/T0/B0/{SECRET}"),
        calling(url="https://x/?token={{ vars.x }}&page=a-long-enough-page"),
        calling(url="https://x/{{ trigger.body.mail }}/@a-long-enough-name"),
        calling(headers={"Authorization": f"Bearer {SECRET}"}),
        calling(headers={"Authorization": "Bearer {{ steps.login.output.body.t }}"}),
        calling(headers={"Authorization": "AWS4-HMAC-SHA256 Credential={{ vars.x }}"}),
        calling(headers={"Cookie": "a_session_id={{ steps.login.output.body.sid }}"}),
        calling(headers={"Accept": "application/json; {{ vars.x }}"}),
        calling(query={"token": [SECRET, "{{ vars.x }}"]}),
        calling(json={"token": SECRET, "n": 1234567890}),
        calling(body="An ordinary text; 1 + 1 = 2"),
        calling(body="Use password=your-own-password there"),
        calling(json={"text": "see https://x/?token=a-long-enough-word"}),
        calling(json={"text": "{{ {password: trigger.body.word, n: 'long-enough'} }}"}),
        calling(headers={"X-Token": {"credential": "mine"}}, query={"sig": [SECRET]}),
        calling(body='{"text": "nothing to hide here"}'),
        calling(headers={"X-Token": 7, "Authorization": "{{ never closed"}),
    ],
)
def test_what_is_sealed_or_known_at_run_time_only_may_stay(definition):
    assert pointers(definition) == []


@pytest.mark.parametrize(
    "condition",
    [
        f"trigger.body.token == '{SECRET}'",
        f"trigger.headers.\"x-api-key\" != '{SECRET}'",
        f'trigger.body.{{password: `"{SECRET}"`}}.password',
    ],
)
def test_a_condition_that_compares_with_a_secret_is_pointed_at(condition):
    step = {"id": "a", "uses": "set", "if": condition, "with": {"value": 1}}

    assert pointers({"steps": [step]}) == ["/steps/0/if"]
    innocent = condition.replace("token", "kind").replace("x-api-key", "x-event")
    assert (
        pointers({"steps": [{**step, "if": innocent.replace("password", "n")}]}) == []
    )


def test_more_secrets_than_a_definition_may_have_are_refused():
    tokens = [f"{SECRET}-{n}" for n in range(exposed.MOST + 1)]

    assert pointers(calling(json={"token": tokens})) == [""]
    assert pointers(calling(json={"token": tokens[1:]})) == []
    assert pointers(calling(json={"token": tokens[:1] * 999})) == []


@pytest.mark.parametrize("filler", [" ", "a", "'", '"', "?", "a=", "{{", '"a":'])
def test_a_long_text_takes_no_longer_than_it_is_long(filler):
    text = filler * (200_000 // len(filler))
    step = calling(url=text, headers={"X-Token": f"{text}{HOLE}"}, body=text, json=text)
    step["steps"][0]["if"] = text

    assert len(pointers(step)) <= 6


KEYS = [
    "vars",
    "with",
    "uses",
    "url",
    "headers",
    "query",
    "json",
    "body",
    "token",
    "sign",
]
WORDS = st.sampled_from(["http.request", "set", SECRET, "{{ vars.x }}", "{{", "a=b"])
JSON = st.recursive(
    st.none() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(["vars", "steps", "on_failure"]), JSON))
@example({"steps": [{"with": {}, "uses": []}]})
def test_a_definition_of_any_shape_is_looked_through(definition):
    assert SECRET not in str(list(exposed.faults(definition)))
