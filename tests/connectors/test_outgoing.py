import pytest

from app.connectors.outgoing import FRAMING, Body, Request, prepared
from app.domain.errors import StepFailed


def request(**settings):
    return Request(**({"method": "GET", "url": "https://api.example.com/"} | settings))


def test_a_query_is_added_to_the_one_that_the_url_has():
    query = {"q": ["a b", "ü&="], "page": ["2"]}

    outgoing = prepared(request(url="https://a.example/x?flag&y=%2F", query=query))

    assert outgoing.url.raw_path == b"/x?flag&y=%2F&q=a%20b&q=%C3%BC%26%3D&page=2"


def test_a_query_may_be_the_first():
    outgoing = prepared(request(url="https://a.example", query={"q": ["1"]}))

    assert outgoing.url.raw_path == b"/?q=1"


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        (
            "https://a.example/a b/ü?q=a b#part",
            b"a.example",
            443,
            b"/a%20b/%C3%BC?q=a%20b",
        ),
        ("http://A.Example:8080", b"a.example", 8080, b"/"),
        ("https://bücher.example/", b"xn--bcher-kva.example", 443, b"/"),
        ("http://a_b.example:80/%2f%20", b"a_b.example", 80, b"/%2f%20"),
        ("http://[2606:4700::1111]/", b"2606:4700::1111", 80, b"/"),
    ],
)
def test_a_url_is_written_as_servers_expect_it(url, host, port, target):
    outgoing = prepared(request(url=url))

    assert outgoing.url.raw_host == host
    assert outgoing.port == port
    assert outgoing.url.raw_path == target


def test_only_scheme_host_and_port_are_shown():
    outgoing = prepared(request(url="https://hooks.example/T000/s3cret?token=s3cret"))

    assert outgoing.origin == "https://hooks.example:443"


def test_the_type_of_the_body_is_told_unless_the_author_tells_another():
    body = Body(b"<a/>", "text/plain")

    assert prepared(request(body=body)).headers == {"content-type": "text/plain"}
    own = prepared(request(body=body, headers={"Content-Type": "application/xml"}))
    assert own.headers == {"content-type": "application/xml"}


def test_header_values_lose_the_spaces_around_them():
    assert prepared(request(headers={"X-A": " b\tc "})).headers == {"x-a": "b\tc"}


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\r\nb", "a\x00", "(a)"])
def test_a_header_name_that_is_none_is_refused(name):
    with pytest.raises(StepFailed, match="headers hold a name") as failed:
        prepared(request(headers={name: "x"}))

    assert failed.value.code == "invalid-settings"


@pytest.mark.parametrize(
    "value",
    ["a\r\nX: b", "a\nb", "\x00", "s3cret\x7f", "s3cret ä", "s3cret\u2028", "\x1b[0m"],
)
def test_a_header_value_that_could_be_read_as_more_is_refused(value):
    with pytest.raises(StepFailed, match="headers hold a control character") as failed:
        prepared(request(headers={"X-Token": value}))

    assert failed.value.code == "invalid-settings"
    assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize("name", [*sorted(FRAMING), "Content-Length"])
def test_headers_that_frame_the_message_are_not_the_authors(name):
    with pytest.raises(StepFailed, match="which Sluice sets itself"):
        prepared(request(headers={name: "1"}))


def test_a_url_longer_than_anyone_reads_is_refused():
    with pytest.raises(StepFailed) as failed:
        prepared(request(url="https://a.example/" + "a" * 70_000))

    assert failed.value.code == "invalid-settings"
    assert len(str(failed.value)) < 200


def test_a_query_longer_than_anyone_reads_is_refused():
    with pytest.raises(StepFailed, match="query is too long") as failed:
        prepared(request(query={"q": ["s3cret" * 20_000]}))

    assert failed.value.code == "invalid-settings"
    assert "s3cret" not in str(failed.value)
