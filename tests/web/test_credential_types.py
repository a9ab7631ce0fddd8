"""What fits into each type of credential, and which steps take which."""

import pytest

from tests.web.conftest import definition

CANARY = "canary-8f2c"
OAUTH2 = {
    "grant": "client_credentials",
    "client_id": "sluice",
    "client_secret": CANARY,
    "token_url": "https://auth.example.com/token",
}
CODE = OAUTH2 | {
    "grant": "authorization_code",
    "authorize_url": "https://auth.example.com/authorize",
}
SID = "AC" + "0a" * 16
SMTP = {
    "host": "mail.example.com",
    "port": 587,
    "username": "miller@example.com",
    "password": CANARY,
}
FITTING = [
    ("secret", {"value": CANARY}),
    ("bearer", {"token": CANARY}),
    ("basic", {"username": "miller", "password": CANARY}),
    ("basic", {"username": "sk_live", "password": ""}),
    ("header", {"name": "X-Api-Key", "value": f"Key {CANARY}"}),
    ("query", {"name": "api key", "value": f"{CANARY} ü&="}),
    ("slack", {"url": f"https://hooks.slack.com/services/{CANARY}"}),
    ("discord", {"url": f"https://discord.com/api/webhooks/1/{CANARY}"}),
    ("smtp", SMTP),
    ("twilio", {"account_sid": SID, "auth_token": CANARY}),
    ("oauth2", OAUTH2),
    ("oauth2", CODE | {"scopes": ["a", "b:c"], "client_auth": "body"}),
    ("oauth2", CODE | {"scopes": "a b:c"}),
    ("generic", {"anything": CANARY, "b-2": "x"}),
]
TYPES = list(dict.fromkeys(kind for kind, _ in FITTING))


def ask(api, kind, data):
    return api.ask("POST", "/credentials", {"name": "n", "type": kind, "data": data})


def faults(answer):
    assert answer.status_code == 422, answer.text
    assert CANARY not in answer.text
    return {each["pointer"]: each["message"] for each in answer.json["errors"]}


@pytest.mark.parametrize(("kind", "data"), FITTING, ids=str)
def test_what_fits_is_kept_and_never_shown(api, kind, data):
    made = ask(api, kind, data)

    assert made.status_code == 201, made.text
    assert made.json["type"] == kind
    assert CANARY not in made.text
    changed = api.ask("PUT", f"/credentials/{made.json['id']}", {"data": data})
    assert changed.status_code == 200, changed.text
    assert CANARY not in changed.text
    assert CANARY not in api.ask("GET", "/credentials").text


@pytest.mark.parametrize(("kind", "data"), FITTING, ids=str)
def test_a_field_more_and_none_are_pointed_at(api, kind, data):
    if kind == "generic":
        assert list(faults(ask(api, kind, {}))) == ["/data"]
        return

    more = faults(ask(api, kind, {**data, "a/b": CANARY}))
    fewer = faults(ask(api, kind, {}))

    [message] = more.values()
    assert list(more) == ["/data/a~1b"]
    assert message.startswith(f"is unknown; the fields are: {next(iter(data))}")
    assert set(fewer.values()) == {"is required"}
    assert f"/data/{next(iter(data))}" in fewer


@pytest.mark.parametrize(
    ("kind", "data", "pointer", "message"),
    [
        ("bearer", {"token": f"Bearer {CANARY}"}, "/data/token", "the token alone"),
        ("bearer", {"token": f"{CANARY}\n"}, "/data/token", "visible ASCII"),
        (
            "basic",
            {"username": "a:b", "password": CANARY},
            "/data/username",
            "may not hold a colon",
        ),
        ("header", {"name": "Host", "value": CANARY}, "/data/name", "may not be Host"),
        (
            "header",
            {"name": "Content-Length", "value": CANARY},
            "/data/name",
            "which Sluice sets itself",
        ),
        (
            "header",
            {"name": "X A", "value": CANARY},
            "/data/name",
            "not allowed there",
        ),
        (
            "header",
            {"name": "X-A", "value": f"{CANARY}\r\nX: y"},
            "/data/value",
            "printable ASCII",
        ),
        ("slack", {"url": f"ftp://{CANARY}"}, "/data/url", "must begin with http"),
        ("smtp", SMTP | {"port": 70000}, "/data/port", "less than or equal to 65535"),
        ("smtp", SMTP | {"port": "25"}, "/data/port", "valid integer"),
        ("smtp", SMTP | {"host": "a:b/c"}, "/data/host", "without a port"),
        (
            "twilio",
            {"account_sid": "AC1", "auth_token": CANARY},
            "/data/account_sid",
            "32 hexadecimal digits",
        ),
        (
            "oauth2",
            OAUTH2 | {"token_url": f"https://a:{CANARY}@b/"},
            "/data/token_url",
            "user name or password",
        ),
        (
            "oauth2",
            OAUTH2 | {"grant": "password"},
            "/data/grant",
            "'client_credentials' or 'authorization_code'",
        ),
        (
            "oauth2",
            OAUTH2 | {"grant": "authorization_code"},
            "/data",
            "needs authorize_url",
        ),
        ("oauth2", CODE | {"grant": "client_credentials"}, "/data", "only"),
        ("oauth2", OAUTH2 | {"scopes": ['a"b']}, "/data/scopes/0", "pattern"),
        ("generic", {"a b": CANARY}, "/data/a b", "letters, digits, _ and -"),
        ("generic", {"a": 7}, "/data/a", "valid string"),
        ("generic", {"a": ""}, "/data/a", "at least 1"),
    ],
)
def test_what_does_not_fit_is_told_where_it_stands(api, kind, data, pointer, message):
    found = faults(ask(api, kind, data))

    assert list(found) == [pointer]
    assert message in found[pointer]


@pytest.mark.parametrize(("kind", "data"), FITTING, ids=str)
def test_a_change_is_held_to_its_type(api, kind, data):
    made = ask(api, kind, data).json
    path = f"/credentials/{made['id']}"

    wrong = faults(api.ask("PUT", path, {"data": {"no such": 7}}))
    other = faults(api.ask("PUT", path, {"data": [CANARY]}))

    assert all(each.startswith("/data") for each in wrong)
    assert list(other) == ["/data"]


def test_an_unknown_type_and_none_are_told(api):
    unknown = faults(ask(api, "sekret", {"value": CANARY}))
    asked = {"name": "n", "data": {"value": CANARY}}
    missing = faults(api.ask("POST", "/credentials", asked))

    assert unknown == {"/type": f"is not a known type: {', '.join(TYPES)}"}
    assert missing == {"/type": "is required"}


def test_the_document_tells_the_types_apart(api):
    document = api.client.get("/openapi.json").json
    schemas = document["components"]["schemas"]
    request = schemas["CredentialRequest"]

    assert list(request["discriminator"]["mapping"]) == sorted(TYPES)
    for kind in TYPES:
        one = schemas[f"{kind.capitalize()}Credential"]
        assert one["properties"]["type"]["const"] == kind
        assert one["properties"]["data"] == {
            "$ref": f"#/components/schemas/{kind.capitalize()}Data"
        }
    update = schemas["CredentialUpdate"]["properties"]["data"]
    assert len(update["anyOf"]) == len(TYPES)


def step(uses, credential):
    more = {"text": "hi"} if "message" in uses else {"url": "https://x.example/"}
    return {"id": "s", "uses": uses, "with": {"credential": credential, **more}}


@pytest.mark.parametrize(
    ("uses", "fitting"),
    [
        ("http.request", {"bearer", "basic", "header", "query", "oauth2"}),
        ("slack.message", {"slack"}),
        ("discord.message", {"discord"}),
    ],
)
def test_a_step_is_saved_with_a_credential_of_the_types_it_takes(api, uses, fitting):
    taken = set()
    for kind, data in dict(FITTING).items():
        name = f"a {kind}"
        asked = {"name": name, "type": kind, "data": data}
        api.call("POST", "/credentials", asked)
        made = {"name": kind, "definition": definition(step(uses, name))}
        answer = api.ask("POST", "/workflows", made)
        if answer.status_code == 201:
            taken.add(kind)
            continue
        [(pointer, message)] = faults(answer).items()
        assert pointer == "/definition/steps/0/with/credential"
        assert message.startswith(f"names a credential of type {kind}; type ")

    assert taken == fitting


def test_no_event_chooses_a_secret(api):
    step_ = step("http.request", "{{ trigger.body.name }}")

    found = faults(
        api.ask("POST", "/workflows", {"name": "W", "definition": definition(step_)})
    )

    assert found == {
        "/definition/steps/0/with/credential": (
            "must be a name and no expression, so that no event chooses a secret"
        )
    }


def test_a_credential_that_does_not_exist_is_told(api):
    made = {"name": "W", "definition": definition(step("http.request", "gone"))}

    kept = api.call("POST", "/workflows", made)
    answer = api.ask("PATCH", f"/workflows/{kept['id']}", {"is_active": True})

    assert answer.status_code == 409
    assert answer.json["errors"] == [
        {
            "pointer": "/definition/steps/0/with/credential",
            "message": (
                "names no credential; make it at /api/v1/credentials first, `gone` of"
                " type bearer or basic or header or query or oauth2"
            ),
        }
    ]


def test_a_step_that_takes_none_says_what_it_takes(api):
    wait = {"id": "s", "uses": "delay", "with": {"seconds": 1, "credential": "x"}}
    asked = {"name": "W", "definition": definition(wait)}

    told = api.ask("POST", "/workflows", asked).json["errors"]

    assert "is not a known field; the fields are seconds" in [
        each["message"] for each in told
    ]
