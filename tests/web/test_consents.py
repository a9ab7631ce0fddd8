"""A person authorizes a credential at a strict provider on loopback."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.connectors.provider import SECRET, Provider
from tests.web import people


@pytest.fixture
def provider():
    one = Provider()
    yield one
    one.close()


@pytest.fixture
def made(api, provider):
    asked = {
        "name": "orders <b>",
        "type": "oauth2",
        "data": provider.data("authorization_code"),
    }
    return api.call("POST", "/credentials", asked)


def ask(api, made):
    return api.call("POST", f"/credentials/{made['id']}/authorize")


def back(api, provider, url):
    """Let the person say yes, and the browser come back."""
    return api.client.get(provider.consent(url).removeprefix("http://localhost:8000"))


def fetch(provider, **more):
    settings = {"url": f"{provider.url}/api", "credential": "orders <b>", **more}
    return {"id": "fetch", "uses": "http.request", "with": settings}


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert SECRET not in answer.text
    return answer.json["type"].rpartition("/")[2], answer.json["detail"]


def test_a_person_authorizes_and_steps_use_it(api, provider, made, capsys):
    question = ask(api, made)
    assert parse_qs(urlsplit(question["url"]).query)["redirect_uri"] == [
        "http://localhost:8000/oauth/callback"
    ]

    page = back(api, provider, question["url"])

    assert page.status_code == 200
    assert "<b>orders &lt;b&gt;</b> is authorized" in page.text
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    ran = api.run(api.workflow("Orders", fetch(provider)), {})
    assert ran["status"] == "success"
    assert ran["steps"][0]["output"]["body"] == {"seen": "[redacted]"}
    [(token, good)] = provider.calls
    assert good
    entries = api.call("GET", f"/audit?target={made['id']}")["items"]
    assert [each["action"] for each in entries] == [
        "credential.authorize", "credential.ask", "credential.create",
    ]  # fmt: skip
    assert len({each["user_id"] for each in entries}) == 1
    for shown in (page.text, json.dumps(ran), capsys.readouterr().out):
        assert token not in shown
        assert provider.families[0].refresh not in shown


def test_an_answer_counts_once(api, provider, made):
    url = provider.consent(ask(api, made)["url"])
    path = url.removeprefix("http://localhost:8000")
    assert api.client.get(path).status_code == 200

    code, _ = problem(api.client.get(path), 400)

    assert code == "consent-unknown"
    assert len(provider.asked) == 1
    assert not provider.families[0].revoked


def test_a_forged_answer_reaches_nobody(api, provider, made):
    ask(api, made)

    answer = api.client.get(f"/oauth/callback?state={'x' * 32}&code=abc")

    assert problem(answer, 400)[0] == "consent-unknown"
    assert provider.asked == []


@pytest.mark.parametrize("query", ["", "code=abc", "state=a&state=b&code=c"])
def test_an_answer_without_its_question_does_not_fit(api, query):
    assert api.client.get(f"/oauth/callback?{query}").status_code == 422


def test_who_says_no_ends_the_question(api, provider, made):
    state = parse_qs(urlsplit(ask(api, made)["url"]).query)["state"][0]
    path = f"/oauth/callback?state={state}"

    code, told = problem(api.client.get(f"{path}&error=access_denied"), 400)
    again, _ = problem(api.client.get(f"{path}&code=abc"), 400)

    assert (code, again) == ("consent-denied", "consent-unknown")
    assert "(access_denied)" in told
    assert provider.asked == []


def test_what_a_stranger_writes_is_not_repeated(api, provider, made):
    state = parse_qs(urlsplit(ask(api, made)["url"]).query)["state"][0]

    answer = api.client.get(f"/oauth/callback?state={state}&error=<script>")

    assert "script" not in problem(answer, 400)[1]


def test_a_wrong_code_is_told_as_the_providers_refusal(api, provider, made):
    state = parse_qs(urlsplit(ask(api, made)["url"]).query)["state"][0]

    answer = api.client.get(f"/oauth/callback?state={state}&code=wrong")

    code, told = problem(answer, 502)
    assert code == "credential-refused"
    assert "refused with invalid_grant" in told


def test_other_data_ends_the_question_and_the_tokens(api, provider, made):
    question = ask(api, made)
    path = f"/credentials/{made['id']}"
    data = {"data": provider.data("authorization_code")}
    api.call("PUT", path, data)

    assert problem(back(api, provider, question["url"]), 400)[0] == "consent-unknown"

    assert back(api, provider, ask(api, made)["url"]).status_code == 200
    api.call("PUT", path, data)
    ran = api.run(api.workflow("Orders", fetch(provider)), {})
    assert ran["error"]["code"] == "credential-unauthorized"
    assert f"{path}/authorize" in ran["error"]["message"]


def test_only_what_a_person_authorizes_is_asked_about(api, provider):
    for name, kind, data in (
        ("own", "oauth2", provider.data("client_credentials")),
        ("token", "bearer", {"token": "t0ken"}),
    ):
        asked = {"name": name, "type": kind, "data": data}
        made = api.call("POST", "/credentials", asked)
        answer = api.ask("POST", f"/credentials/{made['id']}/authorize")
        assert answer.status_code == 409
        assert f"`{name}` needs no person" in answer.json["detail"]


def test_nobody_else_asks_about_it(api, stranger, made):
    path = f"/credentials/{made['id']}/authorize"

    assert stranger.ask("POST", path).status_code == 404
    assert api.another_key("run").ask("POST", path).status_code == 403


def test_a_client_of_its_own_needs_nobody(api, provider):
    asked = {
        "name": "orders <b>",
        "type": "oauth2",
        "data": provider.data("client_credentials"),
    }
    api.call("POST", "/credentials", asked)

    ran = api.run(api.workflow("Orders", fetch(provider)), {})
    again = api.run(api.workflow("Orders 2", fetch(provider, query={"a": "b"})), {})

    assert (ran["status"], again["status"]) == ("success", "success")
    assert len(provider.asked) == 1
    assert "[redacted]" in json.dumps(ran)


def test_a_question_of_a_session_is_answered_by_its_own_browser_alone(
    app, store, provider
):
    person, victim = people.owner(app, store), people.owner(app, store, tenant="Other")
    person.log_in()
    victim.log_in()
    data = provider.data("authorization_code")
    asked = {"name": "mine", "type": "oauth2", "data": data}
    made = person.call("POST", "/credentials", asked)
    url = person.call("POST", f"/credentials/{made['id']}/authorize")["url"]
    brought = provider.consent(url).removeprefix("http://localhost:8000")

    for browser in (victim.client, app.test_client()):
        code, _ = problem(browser.get(brought), 400)
        assert code == "consent-unknown"
    assert provider.families == []

    assert person.client.get(brought).status_code == 200


def test_a_programs_question_is_answered_by_whoever_is_logged_in(
    app, store, api, provider, made
):
    person = people.owner(app, store)
    person.log_in()
    brought = provider.consent(ask(api, made)["url"])

    page = person.client.get(brought.removeprefix("http://localhost:8000"))

    assert page.status_code == 200
