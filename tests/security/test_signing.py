import pytest

from app.security.signatures.presets import PRESETS
from app.security.signatures.scheme import verify
from app.security.signatures.signed import Signed, Verdict
from app.security.signing import key_of, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
AT = 1_614_265_330


def sign(body, *secrets, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=AT):
    keys = [key for each in secrets if (key := key_of(each)) is not None]
    assert len(keys) == len(secrets)
    return signed(body, keys, message_id=message_id, at=at)


def test_a_published_example_is_signed_as_published():
    """From the verification guide of Svix, whose scheme became the standard."""
    headers = sign(b'{"test": 2432232314}', SECRET)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("body", [b"", b"\x00\xff", "ü".encode(), b"{}" * 100_000])
def test_what_we_sign_we_would_let_in(body):
    headers = {name: value.encode() for name, value in sign(body, SECRET).items()}

    told = [
        verify(PRESETS["standard"], Signed(body=each, headers=headers), [secret], AT)
        for each, secret in ((body, SECRET.encode()), (body, OTHER.encode()))
    ]

    assert told == [Verdict.OK, Verdict.BAD]
    changed = Signed(body=body + b" ", headers=headers)
    assert verify(PRESETS["standard"], changed, [SECRET.encode()], AT) is Verdict.BAD


def test_several_keys_give_several_signatures_in_one_header():
    both = sign(b"{}", SECRET, OTHER)["webhook-signature"]

    alone = [sign(b"{}", each)["webhook-signature"] for each in (SECRET, OTHER)]
    assert both.split(" ") == alone


def test_id_and_time_are_signed_as_well():
    marks = {
        sign(b"{}", SECRET, **changes)["webhook-signature"]
        for changes in ({}, {"message_id": "msg_2"}, {"at": AT + 1})
    }

    assert len(marks) == 3


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_AAAA", "whsec_!", "s3cret", "ü" * 32, "\ud800"]
)
def test_what_is_no_signing_secret_has_no_key(secret):
    assert key_of(secret) is None
