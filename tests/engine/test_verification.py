import pytest

from app.connectors.flow import SetValue
from app.connectors.registry import Registry
from app.domain.errors import Fault, Invalid
from app.engine.plan import Compiler
from tests.security.signatures.senders import SENDERS, WHSEC

COMPILER = Compiler(Registry(SetValue))
AT = "/trigger/verify"


def faults(verify) -> list[Fault]:
    trigger = {"type": "webhook", "verify": verify}
    steps = [{"id": "a", "uses": "set", "with": {"value": 1}}]
    try:
        COMPILER.compile({"trigger": trigger, "steps": steps})
    except Invalid as error:
        return list(error.faults)
    return []


@pytest.mark.parametrize("sender", SENDERS, ids=str)
def test_every_scheme_is_accepted_with_its_options(sender):
    assert faults(sender.verify) == []


@pytest.mark.parametrize(
    "verify",
    [
        {"scheme": "github", "secret": {"credential": "github-hook"}},
        {"scheme": "stripe", "secret": ["whsec_a", {"credential": "old"}]},
        {"scheme": "stripe", "secret": "x", "tolerance": 60},
        {"scheme": "meta", "secret": "x", "verify_token": "y"},
        {"scheme": "meta", "secret": "x", "verify_token": {"credential": "y"}},
        {"scheme": "square", "secret": "x", "url": "https://a.example:8443/b"},
        {"scheme": "twilio", "secret": "x", "url": "http://a.example"},
        {"scheme": "hmac", "secret": "x", "header": "X-Sig"},
        {"scheme": "hmac", "secret": "x", "header": "X-Sig", "id": {"header": "X-Id"}},
        {"scheme": "standard", "secret": [WHSEC, {"credential": "next"}]},
    ],
    ids=str,
)
def test_what_the_design_allows_is_accepted(verify):
    assert faults(verify) == []


HMAC = {"scheme": "hmac", "secret": "x", "header": "X-Sig"}
WRONG = [
    ("x", "", "must be an object, not a string"),
    ({"secret": "x"}, "/scheme", "is required"),
    ({"scheme": "github"}, "/secret", "is required"),
    ({"scheme": 7, "secret": "x"}, "/scheme", "must be a string"),
    ({"scheme": "githb", "secret": "x"}, "/scheme", "did you mean `github`?"),
    ({"scheme": "paypal", "secret": "x"}, "/scheme", "basic, bearer, bitbucket"),
    ({"scheme": "github", "secret": "x", "colour": 1}, "/colour", "not a known field"),
    (
        {"scheme": "github", "secret": "x", "header": "X"},
        "/header",
        "is no option of the scheme 'github', which takes scheme, secret",
    ),
    ({"scheme": "github", "secret": "x", "tolerance": 5}, "/tolerance", "no option"),
    ({"scheme": "github", "secret": "x", "url": "https://a"}, "/url", "no option"),
    ({"scheme": "stripe", "secret": "x", "tolerance": 0}, "/tolerance", "to 1"),
    ({"scheme": "stripe", "secret": "x", "tolerance": "9"}, "/tolerance", "a number"),
    ({"scheme": "stripe", "secret": "x", "tolerance": 9e9}, "/tolerance", "86400"),
    ({"scheme": "github", "secret": ""}, "/secret", "1 to 4096 characters"),
    ({"scheme": "github", "secret": "x" * 4097}, "/secret", "1 to 4096 characters"),
    ({"scheme": "github", "secret": "x\n"}, "/secret", "white space"),
    ({"scheme": "github", "secret": 7}, "/secret", "{credential: name}"),
    ({"scheme": "github", "secret": None}, "/secret", "{credential: name}"),
    ({"scheme": "github", "secret": []}, "/secret", "1 to 10 secrets, not 0"),
    ({"scheme": "github", "secret": ["x"] * 11}, "/secret", "not 11"),
    ({"scheme": "github", "secret": ["x", ["y"]]}, "/secret/1", "must be a string"),
    ({"scheme": "github", "secret": {"name": "x"}}, "/secret", "{credential: name}"),
    (
        {"scheme": "github", "secret": {"credential": 7}},
        "/secret/credential",
        "name of a credential",
    ),
    ({"scheme": "svix", "secret": "whsec_x"}, "/secret", "base64 of 24 to 64 bytes"),
    ({"scheme": "discord", "secret": "x"}, "/secret", "64 hexadecimal digits"),
    ({"scheme": "basic", "secret": "x"}, "/secret", "user:password"),
    ({"scheme": "meta", "secret": "x", "verify_token": 7}, "/verify_token", "a string"),
    ({"scheme": "token", "secret": "x"}, "/header", "is required"),
    ({"scheme": "hmac", "secret": "x"}, "/header", "is required"),
    ({**HMAC, "header": "X Sig"}, "/header", "must match"),
    ({**HMAC, "header": "X_Sig"}, "/header", "must match"),
    ({**HMAC, "hash": "md5"}, "/hash", "'sha512'"),
    ({**HMAC, "encoding": "raw"}, "/encoding", "'base64'"),
    ({**HMAC, "template": "{bod}"}, "/template", "only these parts"),
    ({**HMAC, "template": 7}, "/template", "must be a string"),
    ({**HMAC, "template": "x"}, "/template", "must hold {body}"),
    ({**HMAC, "template": "{ts}{body}"}, "/template", "`timestamp`"),
    ({**HMAC, "template": "{id}.{body}"}, "/template", "`id`"),
    (
        {**HMAC, "template": "{id}{body}", "id": {"header": "X-Id"}},
        "/template",
        "a text between {id}",
    ),
    ({**HMAC, "timestamp": {"header": "X-T"}}, "/timestamp", "is not signed"),
    ({**HMAC, "timestamp": {"unit": "s"}}, "/timestamp/header", "is required"),
    (
        {**HMAC, "timestamp": {"header": "X-T", "unit": "h"}},
        "/timestamp/unit",
        "'iso8601'",
    ),
    ({**HMAC, "id": "X-Id"}, "/id", "must be an object"),
    ({**HMAC, "tolerance": 60}, "/tolerance", "needs `timestamp`"),
    ({**HMAC, "url": "https://a.example"}, "/url", "is not used"),
    ({"scheme": "square", "secret": "x", "url": "a.example"}, "/url", "http://"),
    ({"scheme": "square", "secret": "x", "url": "ftp://a"}, "/url", "http://"),
    ({"scheme": "square", "secret": "x", "url": "https://a/?b"}, "/url", "before ?"),
    ({"scheme": "square", "secret": "x", "url": "https://a:b"}, "/url", "no URL"),
]


@pytest.mark.parametrize(("verify", "pointer", "message"), WRONG, ids=str)
def test_what_does_not_fit_is_told_where_it_stands(verify, pointer, message):
    told = {each.pointer: each.message for each in faults(verify)}

    assert message in told[AT + pointer]


def test_all_faults_are_told_at_once_and_none_quotes_a_secret():
    told = faults(
        {
            "scheme": "discord",
            "secret": ["hunter2 ", "hunter3"],
            "header": "X",
            "tolerance": -1,
        }
    )

    assert {each.pointer for each in told} == {
        f"{AT}/{each}" for each in ("secret/0", "secret/1", "header", "tolerance")
    }
    assert "hunter" not in str(told)


def test_a_manual_workflow_verifies_nobody():
    trigger = {"type": "manual", "verify": {"scheme": "github", "secret": "x"}}
    steps = [{"id": "a", "uses": "set", "with": {"value": 1}}]

    with pytest.raises(Invalid):
        COMPILER.compile({"trigger": trigger, "steps": steps})


def test_the_token_of_mailgun_must_stay_the_key():
    verify = {"scheme": "mailgun", "secret": "x"}
    trigger = {"type": "webhook", "verify": verify, "dedupe": "trigger.body.id"}
    steps = [{"id": "a", "uses": "set", "with": {"value": 1}}]

    with pytest.raises(Invalid) as refused:
        COMPILER.compile({"trigger": trigger, "steps": steps})

    [fault] = refused.value.faults
    assert fault.pointer == "/trigger/dedupe"
    assert "Mailgun signs a token" in fault.message
