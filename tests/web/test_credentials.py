import pytest

from tests.web.conftest import definition

CANARY = "canary-8f2c"
SECRET = {"name": "hook", "type": "secret", "data": {"value": CANARY}}
VERIFIED = {"verify": {"scheme": "github", "secret": {"credential": "hook"}}}


def faults(answer):
    assert answer.status_code == 422, answer.text
    assert CANARY not in answer.text
    return {each["pointer"]: each["message"] for each in answer.json["errors"]}


@pytest.fixture
def made(api):
    return api.call("POST", "/credentials", SECRET)


def test_a_credential_is_made_and_its_data_never_comes_back(api):
    answer = api.ask("POST", "/credentials", SECRET)

    assert answer.status_code == 201
    made = answer.json
    assert made == {
        "id": made["id"],
        "name": "hook",
        "type": "secret",
        "workflow_id": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert made["id"].startswith("cred_")
    assert api.call("GET", "/credentials") == {"items": [made], "next_cursor": None}


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_the_addresses_of_channels_are_credentials_too(api, kind):
    asked = {"name": kind, "type": kind, "data": {"url": "https://hooks.example/x"}}

    assert api.call("POST", "/credentials", asked)["type"] == kind


def test_pages_follow_each_other(api):
    made = [
        api.call("POST", "/credentials", {**SECRET, "name": f"c{n}"})["id"]
        for n in range(5)
    ]

    page = api.call("GET", "/credentials?limit=3")
    rest = api.call("GET", f"/credentials?limit=3&cursor={page['next_cursor']}")

    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"data": {}}, {"/data/value": "is required"}),
        (
            {"data": {"value": CANARY, "a/b": CANARY}},
            {"/data/a~1b": "is unknown; the fields are: value"},
        ),
        (
            {"type": "slack", "data": {"url": f"ftp://{CANARY}"}},
            {"/data/url": "must begin with http:// or https:// and a host"},
        ),
        ({"data": {"value": 7}}, {"/data/value": "Input should be a valid string"}),
        ({"name": "a {{ b"}, {"/name": "must not hold {{, which begins an expression"}),
        (
            {"secret": CANARY},
            {"/secret": "is unknown; the fields are: name, type, data"},
        ),
    ],
)
def test_what_does_not_fit_is_pointed_at_and_not_repeated(api, change, expected):
    assert faults(api.ask("POST", "/credentials", {**SECRET, **change})) == expected


@pytest.mark.parametrize("value", ["", "x" * 20_000, None, [CANARY], {"a": CANARY}])
def test_a_value_is_a_text_of_some_length(api, value):
    asked = {**SECRET, "data": {"value": value}}

    assert list(faults(api.ask("POST", "/credentials", asked))) == ["/data/value"]


def test_a_name_is_taken_once(api, stranger, made):
    answer = api.ask("POST", "/credentials", SECRET)

    assert answer.status_code == 409
    assert answer.json["detail"] == (
        "a credential named `hook` exists; choose another name"
    )
    assert stranger.call("POST", "/credentials", SECRET)["name"] == "hook"


def test_data_and_name_change_and_the_type_stays(api, made):
    path = f"/credentials/{made['id']}"

    changed = api.call("PUT", path, {"name": "new", "data": {"value": "other"}})
    kept = api.call("PUT", path, {"type": "secret", "data": {"value": "third"}})
    other = api.ask("PUT", path, {"type": "slack", "data": {"url": "https://x.y"}})

    assert (changed["id"], changed["name"]) == (made["id"], "new")
    assert kept["name"] == "new"
    assert faults(other) == {"/type": "is secret and stays so; make another credential"}


def test_a_credential_in_use_is_neither_deleted_nor_renamed(api, made):
    workflow = api.workflow("Orders", **VERIFIED)
    path = f"/credentials/{made['id']}"

    for answer in (
        api.ask("DELETE", path),
        api.ask("PUT", path, {"name": "new", "data": {"value": "x"}}),
    ):
        assert answer.status_code == 409
        assert "`Orders` uses this credential" in answer.json["detail"]

    api.call("PUT", f"/workflows/{workflow['id']}", {"definition": definition()})
    assert api.ask("DELETE", path).status_code == 204
    assert api.ask("DELETE", path).status_code == 404


def test_nobody_else_sees_or_changes_it(api, stranger, made):
    path = f"/credentials/{made['id']}"

    assert stranger.call("GET", "/credentials")["items"] == []
    assert stranger.ask("PUT", path, {"data": {"value": "x"}}).status_code == 404
    assert stranger.ask("DELETE", path).status_code == 404


def test_a_key_that_only_reads_lists_and_changes_nothing(api, made):
    reader = api.another_key("run")
    path = f"/credentials/{made['id']}"

    assert reader.call("GET", "/credentials")["items"] == [made]
    for answer in (
        reader.ask("POST", "/credentials", SECRET),
        reader.ask("PUT", path, {"data": {"value": "x"}}),
        reader.ask("DELETE", path),
    ):
        assert answer.status_code == 403
