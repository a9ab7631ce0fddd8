import pytest

from app.server.framer import Framer, header
from app.server.limits import Limits
from app.server.refused import Refused
from tests.server.torture import CHUNKED, GET, POST, REFUSED


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(framer, case):
    status, data = REFUSED[case]

    with pytest.raises(Refused) as refused:
        framer.feed(data)

    assert refused.value.status == status


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_the_same_status_what_comes_in_small_pieces(framer, case):
    status, data = REFUSED[case]
    step = 1 if len(data) < 3000 else 1000

    def feed():
        for at in range(0, len(data), step):
            framer.feed(data[at : at + step])

    with pytest.raises(Refused) as refused:
        feed()

    assert refused.value.status == status


@pytest.mark.parametrize("case", REFUSED)
def test_tells_what_was_wrong_without_repeating_it(framer, case):
    with pytest.raises(Refused) as refused:
        framer.feed(REFUSED[case][1])

    detail = refused.value.detail
    assert detail.endswith(".")
    assert "nonsense" not in detail
    assert "aaaa" not in detail


WHOLE = {
    "no header at all": (b"GET / HTTP/1.0\r\n\r\n", b""),
    "one empty line before": (b"\r\n" + GET + b"\r\n", b""),
    "a length": (POST + b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "a length with zeros": (POST + b"Content-Length: 003\r\n\r\nabc", b"abc"),
    "no body": (POST + b"Content-Length: 0\r\n\r\n", b""),
    "a body like an end": (POST + b"Content-Length: 4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    "one chunk": (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "chunks": (CHUNKED + b"3\r\nabc\r\n01\r\nd\r\n000\r\n\r\n", b"abcd"),
    "no chunk": (CHUNKED + b"0\r\n\r\n", b""),
    "a chunk like the end": (CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "extensions": (CHUNKED + b'3 ; a="b;\\"" ;c\r\nabc\r\n0;d=e\r\n\r\n', b"abc"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nX-A: b\r\nX-B: c\r\n\r\n", b"abc"),
    "the largest body": (
        POST + b"Content-Length: 1048576\r\n\r\n" + b"a" * (1 << 20),
        b"a" * (1 << 20),
    ),
}


@pytest.mark.parametrize("case", WHOLE)
def test_hands_over_a_whole_request_and_what_follows_stays(framer, case):
    data, body = WHOLE[case]

    assert framer.feed(data + GET).body.read() == body
    assert framer.feed(b"\r\n").method == "GET"
    assert framer.idle


@pytest.mark.parametrize("case", WHOLE)
def test_is_not_whole_before_the_last_byte(framer, case):
    data, body = WHOLE[case]

    assert framer.feed(data[:-1]) is None
    assert framer.feed(data[-1:]).body.read() == body


def test_a_decoded_body_has_a_length_and_no_longer_a_coding(framer):
    head = CHUNKED[:-2] + b"Trailer: X-A\r\n\r\n"

    request = framer.feed(head + b"3\r\nabc\r\n0\r\nX-A: b\r\n\r\n")

    assert header(request, "CONTENT-LENGTH") == "3"
    assert header(request, "TRANSFER-ENCODING") is None
    assert header(request, "TRAILER") is None


def test_headers_with_underscores_are_dropped_so_that_none_can_pose_as_another(framer):
    request = framer.feed(GET + b"X_Forwarded_For: 1.2.3.4\r\nSCRIPT_NAME: /a\r\n\r\n")

    assert [name for name, _ in request.headers] == ["HOST"]


def test_a_client_that_waits_for_100_continue_is_told_once(framer):
    framer.feed(POST + b"Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n")

    assert framer.take_expectation()
    assert not framer.take_expectation()


def test_nobody_else_is_told_to_continue(framer):
    framer.feed(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")

    assert not framer.take_expectation()


def test_a_body_over_the_limit_is_refused_without_100_continue(framer):
    with pytest.raises(Refused):
        framer.feed(POST + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")

    assert not framer.take_expectation()


@pytest.mark.parametrize(
    ("data", "bodiless"),
    [
        (b"HEAD / HTTP/1.1\r\nHo", True),
        (b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHo", False),
    ],
)
def test_knows_when_an_answer_must_have_no_body(framer, data, bodiless):
    framer.feed(data)

    assert framer.bodiless is bodiless


def test_a_refused_head_request_is_still_known_as_one(framer):
    with pytest.raises(Refused):
        framer.feed(b"HEAD / HTTP/1.1\r\n\r\n")

    assert framer.bodiless


def test_offers_the_clients_request_id_once_the_head_is_whole(framer):
    framer.feed(POST + b"X-Request-Id: abc-1\r\nContent-Length: 3\r\n\r\n")

    assert framer.offered_id == "abc-1"


def test_counts_the_bytes_it_holds_until_the_request_is_answered(framer):
    framer.feed(POST + b"Content-Length: 1000\r\n\r\n" + b"a" * 600)
    assert framer.held == 600

    framer.feed(b"a" * 400)
    assert framer.held == 1000

    framer.forget()
    assert framer.held == 0


def test_holds_of_a_chunked_body_only_the_body(framer):
    framer.feed(CHUNKED + b"1;an=extension\r\na\r\n" * 1000)

    assert framer.held == 1000


def test_an_empty_line_after_a_request_leaves_the_connection_idle(framer):
    framer.feed(GET + b"\r\n" + b"\r\n")

    assert framer.idle


def test_a_body_of_one_byte_chunks_is_read_in_linear_time(parse):
    framer = Framer(parse, Limits(max_body=8 << 20))
    framer.feed(CHUNKED)

    request = framer.feed(b"1\r\na\r\n" * 200_000 + b"0\r\n\r\n")

    assert request
    assert request.body.read() == b"a" * 200_000
