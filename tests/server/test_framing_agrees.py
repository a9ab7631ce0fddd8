"""The framer against gunicorn's own reading of the same bytes."""

import random
import string

import pytest
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.parser import RequestParser

from app.server.framer import Framer
from app.server.limits import Limits
from app.server.refused import Refused
from tests.server.parsing import CLIENT, config

SEED = 27_000_1
REQUESTS = 4_000
DATA = (b"abc", b"0\r\n\r\n", b"\r\n\r\n", b"\r\n", b"3\r\nabc\r\n")
STEPS = (1, 1, 2, 3, 7, 50, 10**6)
SALT = (b"\r", b"\n", b"\r\n", b"0", b";", b" ", b":", b"\x00", b"z", b"", b"\xff")


def dice_of(test):
    return random.Random(SEED + test)  # noqa: S311 (no secret)


def chunked(dice):
    wire, body = b"", b""
    for _ in range(dice.randint(0, 4)):
        data = dice.choice([*DATA, b"x" * dice.randint(1, 300)])
        extension = dice.choice([b"", b"", b";a=b", b' ; q="z;\\""', b";a;b = c"])
        size = dice.choice([b"%x", b"%X", b"0%x"]) % len(data)
        wire += size + extension + b"\r\n" + data + b"\r\n"
        body += data
    trailers = dice.choice([b"", b"", b"X-T: v\r\n", b"X-T: v\r\nX-U: w\r\n"])
    return wire + dice.choice(
        [b"0", b"000", b"0;e"]
    ) + b"\r\n" + trailers + b"\r\n", body


def request(dice):
    """Make a random request, and the body that is in it."""
    head = dice.choice([b"", b"\r\n"])
    head += b"POST /%d HTTP/1.1\r\nHost: x\r\n" % dice.randint(0, 9)
    head += dice.choice([b"", b"X-A: b\r\n", b"Expect: 100-continue\r\n"])
    kind = dice.randint(0, 3)
    if kind == 0:
        return head + b"\r\n", b""
    if kind == 1:
        data = dice.choice([b"", *DATA, b"y" * dice.randint(0, 200)])
        return head + b"Content-Length: %d\r\n\r\n" % len(data) + data, data
    wire, body = chunked(dice)
    coding = dice.choice([b"chunked", b"Chunked", b" chunked\t"])
    return head + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + wire, body


def mutated(dice, wire):
    """Change a few bytes in a way that parsers are known to differ about."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(wire))
        cut = dice.randint(0, 2)
        wire = wire[:at] + dice.choice(SALT) + wire[at + cut :]
    return wire


def by_framer(parse, wire, step):
    """Return body and rest, or None if it is refused or not whole."""
    framer = Framer(parse, Limits())
    try:
        for at in range(0, len(wire), step):
            found = framer.feed(wire[at : at + step])
            if found:
                return found.body.read(), wire[at + step :]
    except Refused:
        pass
    return None


def by_gunicorn(cfg, wire):
    parser = RequestParser(cfg, [wire], CLIENT)
    try:
        message = next(parser)
        body = message.body.read()
    except (ParseException, NoMoreData, StopIteration):
        return None
    cut_short = len(body) < int(dict(message.headers).get("CONTENT-LENGTH", 0))
    return None if cut_short else body


def test_a_request_is_ready_at_exactly_its_last_byte_and_has_gunicorns_body(parse):
    dice, cfg = dice_of(0), config()
    for number in range(REQUESTS):
        wire, body = request(dice)
        step = dice.choice(STEPS)
        framer, found = Framer(parse, Limits()), None
        for at in range(0, len(wire), step):
            assert found is None, (number, "ready too early", wire)
            found = framer.feed(wire[at : at + step])

        assert found is not None, (number, "not ready at its end", wire)
        assert found.body.read() == body == by_gunicorn(cfg, wire), (number, wire)


def test_two_requests_in_one_piece_come_apart_where_the_first_ends(parse):
    dice = dice_of(1)
    for _ in range(REQUESTS // 4):
        (first, one), (second, two) = request(dice), request(dice)
        framer = Framer(parse, Limits())

        found = [framer.feed(first + second), framer.feed(b"")]
        assert [each.body.read() for each in found if each] == [one, two]
        assert framer.idle


def test_what_gunicorn_refuses_is_refused_and_what_is_taken_is_the_same(parse):
    dice, cfg = dice_of(2), config()
    taken = 0
    for number in range(REQUESTS):
        wire = mutated(dice, request(dice)[0])
        ours = by_framer(parse, wire, dice.choice(STEPS))
        if ours is not None:
            taken += 1
            assert ours[0] == by_gunicorn(cfg, wire), (number, wire)
    assert taken > REQUESTS / 10


@pytest.mark.parametrize("size", [0, 1, 3, 300])
def test_arbitrary_bytes_are_never_a_request(parse, size):
    dice = dice_of(3)
    printable = string.printable.encode()
    for _ in range(500):
        wire = bytes(dice.choice(printable) for _ in range(size))

        assert by_framer(parse, wire, 7) is None
