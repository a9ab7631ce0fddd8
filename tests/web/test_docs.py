import re

import pytest


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(client):
    answer = client.get("/docs")
    page, policy = answer.text, answer.headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert re.findall(r"<script(?![^>]*src=)", page) == []
    assert re.findall(r"(?:src|href)=\"(?!/docs/)", page) == []


def test_everything_the_page_names_is_there(client):
    answer = client.get("/docs")
    assert answer.content_type.startswith("text/html")
    named = re.findall(r'(?:src|href)="([^"]+)"', answer.text)

    assert len(named) == 4
    for path in named:
        part = client.get(path)
        assert part.status_code == 200
        assert len(part.data) > 0
        assert part.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_that_has_a_part_gets_it_no_second_time(client):
    tag = client.get("/docs/swagger-ui-bundle.js").headers["ETag"]

    again = client.get("/docs/swagger-ui-bundle.js", headers={"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


def test_the_page_shows_the_document_of_this_service(client):
    script = client.get("/docs/start.js")

    assert '"/openapi.json"' in script.text
    assert "javascript" in script.content_type


@pytest.mark.parametrize(
    "path",
    [
        "/docs/",
        "/docs/index.html",
        "/docs/../app.py",
        "/docs/%2e%2e%2fdocs.py",
        "/docs/x",
    ],
)
def test_no_other_file_is_served(client, path):
    assert client.get(path).status_code == 404
