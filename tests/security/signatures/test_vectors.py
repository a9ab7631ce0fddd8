"""Known answers that vendors publish, with the clock at their time."""

import pytest

from app.security.signatures.presets import PRESETS
from app.security.signatures.scheme import verify
from app.security.signatures.signed import Signed, Verdict

GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SLACK = "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
    b"&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J"
    b"%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
TWILIO_BODY = (
    b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234"
    b"&From=%2B14158675309&To=%2B18005551212"
)
FORM = "application/x-www-form-urlencoded"
VECTORS = {
    "github": (
        "It's a Secret to Everybody",
        0.0,
        {"x-hub-signature-256": f"sha256={GITHUB}"},
        b"Hello, World!",
    ),
    "slack": (
        "8f742231b10e8888abcd99yyyzzz85a5",
        1531420618.0,
        {
            "x-slack-signature": f"v0={SLACK}",
            "x-slack-request-timestamp": "1531420618",
            "content-type": FORM,
        },
        SLACK_BODY,
    ),
    "twilio": (
        "12345",
        0.0,
        {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "content-type": FORM},
        TWILIO_BODY,
    ),
    "standard": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1614265330.0,
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_example_is_accepted_and_changed_it_is_not(name):
    secret, now, headers, body = VECTORS[name]
    scheme = PRESETS[name]
    raw = {key: value.encode() for key, value in headers.items()}

    def told(body: bytes) -> Verdict:
        request = Signed(
            body=body,
            headers=raw,
            url="https://mycompany.com/myapp.php",
            query="foo=1&bar=2",
        )
        return verify(scheme, request, [secret.encode()], now)

    assert told(body) is Verdict.OK
    assert told(body[:-1] + bytes([body[-1] ^ 1])) is Verdict.BAD
