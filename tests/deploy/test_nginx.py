"""The shipped nginx configuration, where it must agree with the service."""

import re

import pytest

from app.server.limits import Limits
from app.web import problems
from tests.deploy.units import ROOT

TEXT = (ROOT / "deploy/nginx/sluice.conf").read_text()
LIMITS = Limits()
SIZES = {"k": 1 << 10, "m": 1 << 20}
LONGEST_WAIT = 30  # seconds that a caller may wait for an answer


def values(directive: str) -> list[str]:
    """Return every value that a directive has, in order."""
    pattern = rf"^\s*{directive}\s+([^;]+);"
    return re.findall(pattern, TEXT, re.MULTILINE)


def value(directive: str) -> str:
    [only] = values(directive)
    return only


def size(directive: str) -> int:
    text = value(directive)
    return int(text[:-1]) * SIZES[text[-1]]


def seconds(text: str) -> float:
    assert text.endswith("s")
    return float(text[:-1])


def mapped(variable: str) -> dict[str, str]:
    """Return a map from the status, without quotes."""
    [body] = re.findall(rf"map \$status \${variable} \{{(.*?)\n\}}", TEXT, re.DOTALL)
    pairs = re.findall(r'^\s*(\w+) "?(.*?)"?;$', body, re.MULTILINE)
    return dict(pairs)


def test_the_body_limit_is_the_services_own_and_is_told_as_it_is():
    assert size("client_max_body_size") == LIMITS.max_body
    assert str(LIMITS.max_body) in mapped("sluice_detail")["413"]


def test_every_server_gives_a_header_as_long_as_the_service_would():
    servers = len(re.findall(r"^server \{", TEXT, re.MULTILINE))

    assert len(values("client_header_timeout")) == servers == 3
    assert {seconds(each) for each in values("client_header_timeout")} == {LIMITS.read}
    assert seconds(value("client_body_timeout")) == LIMITS.read


def test_idle_connections_to_the_service_end_on_this_side_first():
    [upstream] = re.findall(r"^upstream .*?^\}", TEXT, re.MULTILINE | re.DOTALL)
    [kept] = re.findall(r"keepalive_timeout (\w+);", upstream)

    assert seconds(kept) < LIMITS.idle
    assert value("proxy_http_version") == "1.1"
    assert 'proxy_set_header Connection "";' in TEXT


def test_the_service_gives_up_waiting_before_nginx_does():
    assert seconds(value("proxy_read_timeout")) == 35 > LONGEST_WAIT


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("proxy_request_buffering", "on"),
        ("proxy_ignore_client_abort", "off"),
        ("proxy_next_upstream", "off"),
        ("proxy_intercept_errors", "off"),
        ("gzip", "off"),
    ],
)
def test_what_must_not_be_switched_is_as_it_must_be(directive: str, expected: str):
    assert value(directive) == expected


def test_exactly_one_hop_is_told_and_never_what_the_client_says():
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in TEXT
    assert "$proxy_add_x_forwarded_for" not in TEXT
    assert "$http_" not in TEXT.replace("$http_x_request_id", "")


def test_the_request_id_is_judged_as_the_service_judges_it():
    assert '"~^[A-Za-z0-9._-]{1,128}$" $http_x_request_id;' in TEXT


def test_every_error_that_nginx_answers_itself_has_a_title_a_code_and_advice():
    told = {each for line in values("error_page") for each in line.split()[:-1]}
    statuses = {each.lstrip("=") for each in told} - {"494"}  # told as 431

    assert statuses == {"400", "413", "414", "429", "431", "502", "503", "504"}
    for name in ("sluice_problem", "sluice_title", "sluice_detail"):
        assert set(mapped(name)) == statuses | {"default"}


def test_a_problem_has_the_members_that_the_services_own_have():
    own = problems.too_large(1).document("id")
    documents = re.findall(r"return 200 '(.*)';", TEXT)

    assert len(set(documents)) == 1
    assert re.findall(r'"(\w+)":', documents[0]) == re.findall(
        r'"(\w+)":', own.decode()
    )
    assert mapped("sluice_problem")["413"] == problems.too_large(1).code


def test_what_is_logged_has_neither_path_with_token_nor_query():
    [log] = re.findall(r"^log_format .*?;$", TEXT, re.MULTILINE | re.DOTALL)

    for risky in ("$request_uri", "$uri", "$args", '"$request"', "$http_referer"):
        assert risky not in log
    assert {each.split()[-1] for each in values("error_log")} == {"crit"}
