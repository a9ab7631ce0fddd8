import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import jsons, masking
from app.domain.credential import Opened
from app.domain.masking import Mask

CANARY = 'cañary/8f+2c"<&>\\ %🌾'
WRITTEN = {
    "plain": CANARY,
    "percent": quote(CANARY),
    "percent, whole": quote(CANARY, safe=""),
    "form": quote_plus(CANARY),
    "json": json.dumps(CANARY, ensure_ascii=False)[1:-1],
    "html": html.escape(CANARY),
    "header": CANARY.encode().decode("latin-1"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_value_is_found_in_each_way_of_writing_it(form):
    mask = Mask([CANARY])

    assert mask.text(f"echo: {WRITTEN[form]}!") == "echo: [redacted]!"


def test_percent_encoding_in_small_letters_is_found():
    assert Mask(["s3cret/äö!"]).text("?a=s3cret%2f%c3%a4%c3%b6%21") == "?a=[redacted]"


@given(st.binary(max_size=20), st.text(min_size=8, max_size=40), st.binary(max_size=20))
def test_no_base64_of_more_shows_a_value(before, secret, after):
    mask = Mask([secret])
    if not mask:  # half of a surrogate pair cannot be sent
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = encode(before + secret.encode() + after).decode()

        hidden = mask.text(shown)

        assert "[redacted]" in hidden
        rest = hidden.replace("[redacted]", "")
        assert len(rest) <= 4 * (len(before) + len(after) + 6) // 3 + 8


def test_values_are_hidden_wherever_they_stand_in_json():
    mask = Mask([CANARY])
    value = {"a": [CANARY, 7, None], CANARY: {"b": f"x{CANARY}y"}}

    assert mask.spots(jsons.encode(value))
    assert mask.value(value) == {
        "a": ["[redacted]", 7, None],
        "[redacted]": {"b": "x[redacted]y"},
    }
    assert not mask.spots(jsons.encode(mask.value(value)))


@given(st.text(min_size=8, max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_what_is_in_a_text_is_spotted_in_its_json(secret, before, after):
    text = before + secret + after

    assert Mask([secret]).spots(jsons.encode({"a": text}))


def test_without_values_nothing_is_looked_at():
    mask, value = Mask(), {"a": ["b"]}

    assert not mask
    assert mask.value(value) is value
    assert not mask.spots(jsons.encode(value))


def test_a_short_value_is_left_alone_and_a_pair_with_it_is_not():
    found = Opened(
        tenant_id="t", id="c", name="n", type="basic",
        data={"username": "miller", "password": "pw"},
    )  # fmt: skip
    mask = Mask(found.secrets())

    assert mask.text("pw miller") == "pw miller"
    pair = base64.b64encode(b"miller:pw").decode().rstrip("=")
    assert pair not in mask.text(f"Basic {pair}==")
    assert mask.text("miller:pw") == "[redacted]"


def test_a_name_without_a_password_is_the_secret():
    data = {"username": "sk_live_12345", "password": ""}
    found = Opened(tenant_id="t", id="c", name="n", type="basic", data=data)

    assert Mask(found.secrets()).text("user sk_live_12345") == "user [redacted]"


def test_of_a_url_what_follows_the_host_is_hidden_too():
    mask = Mask(["https://hooks.example/services/T0/B0/s3cret?key=t0psecret"])

    assert mask.text("GET /services/T0/B0/s3cret HTTP/1.1") == "GET [redacted] HTTP/1.1"
    assert (
        mask.text("key t0psecret at hooks.example") == "key [redacted] at hooks.example"
    )


def test_the_token_of_a_header_is_hidden_without_its_word_too():
    data = {"name": "Authorization", "value": "Token 12345678"}
    found = Opened(tenant_id="t", id="c", name="n", type="header", data=data)

    assert Mask(found.secrets()).text("got 12345678") == "got [redacted]"


def test_what_is_public_of_a_credential_is_not_hidden():
    data = {
        "grant": "client_credentials",
        "client_id": "public-client",
        "client_secret": "s3cret-of-client",
        "token_url": "https://auth.example.com/token",
    }
    found = Opened(tenant_id="t", id="c", name="n", type="oauth2", data=data)

    hidden = Mask(found.secrets()).text("public-client https://auth.example.com/token")

    assert hidden == "public-client https://auth.example.com/token"


def test_every_field_of_a_generic_credential_is_hidden():
    data = {"anything": "s3cret-one", "else": "s3cret-two"}
    found = Opened(tenant_id="t", id="c", name="n", type="generic", data=data)

    assert (
        Mask(found.secrets()).text("s3cret-one s3cret-two") == "[redacted] [redacted]"
    )


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Gitlab-Token", "password", "db_password", "client_secret",
     "clientSecret", "api-key", "X-Api-Key", "set-cookie", "access_token"],
)  # fmt: skip
def test_names_of_secrets_are_known(name):
    assert masking.without_named({"a": [{name: {"b": 1}}]}) == {
        "a": [{name: "[redacted]"}]
    }


@pytest.mark.parametrize("name", ["max_tokens", "key", "secretary", "workflow_id", ""])
def test_names_that_only_sound_alike_are_not(name):
    assert masking.without_named({name: 7}) == {name: 7}


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Proxy-Authorization", "X-Authorization-V2", "X-Authorized-By",
     "X-Auth", "X-Auth-Token", "X_Auth_Id", "x-auth-origin", "XAuthKey", "OAuth-Id",
     "X-Author-Auth", "X-Author-Key", "Author_Code", "X-AuthorToken", "X-Author-Secret",
     "X-Coauthor-Signature", "X-AUTHx", "Authentication-Info", "x-api-key", "Api-Key-2",
     "X-Authoriz", "XAuthor"],
)  # fmt: skip
def test_a_header_whose_name_may_be_a_secrets_is_taken_for_one(name):
    assert masking.header_tells(name)


@pytest.mark.parametrize(
    "name",
    ["X-Author", "author", "AUTHOR", "X_Authors", "X-Author-Name", "X-Git-Author-Email",
     "Co-Authored-By", "X-Coauthors", "Authority", "X-Authority-Id", "X-Authorship",
     "Idempotency-Key", "Accept", ""],
)  # fmt: skip
def test_a_header_that_only_sounds_like_a_secret_is_none(name):
    assert not masking.header_tells(name)


@given(
    st.lists(
        st.sampled_from(
            ["x", "author", "Authority", "co", "auth", "key", "token", "by"]
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from("-_"),
)
def test_no_author_hides_another_word_of_a_secret(words, between):
    rest = [each for each in words if not each.lower().startswith("author")]

    if "auth" in rest or "token" in rest or (rest != words and "key" in rest):
        assert masking.header_tells(between.join(words))
