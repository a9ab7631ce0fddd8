"""Only the door talks to a user's addresses; anything else would be unchecked."""

from pathlib import Path

import pytest

from tests.connectors.ways_out import found_in

APP = Path(__file__).parents[2] / "app"
# What a tenant's address goes through: resolved, checked and connected in one place.
DOOR = {
    "connectors/http.py": {"httpcore2", "ssl"},
    "connectors/network.py": {"httpcore2", "httpx2", "socket.socket", "ssl"},
    "connectors/outgoing.py": {"httpx2"},  # reads URLs
    "connectors/resolving.py": {"socket.getaddrinfo"},
}
# Whatever else has a way out, and why no tenant chooses where it leads.
OTHERS = {
    # an operator's own command calls the server that he names
    "cli/client.py": {"httpx2"},
    "cli/demo.py": {"httpx2"},
    "cli/local.py": {"httpx2", "socket.socket", "subprocess"},
    # connections that others have opened
    "server/connection.py": {"socket.socket"},
    "server/outlet.py": {"socket.socket"},
    "server/passage.py": {"socket.socket"},
    "server/traffic.py": {"socket.socket"},
    # the operator's Redis
    "bell/broker.py": {"redis"},
    "bell/ringer.py": {"redis"},
    # has the kernel keep its memory to itself; has a child of its own make the tables
    "server/process.py": {"ctypes", "os.fork"},
    # the operator's database
    "store/sql/lost_commits.py": {"psycopg"},
    "store/sql/postgresql.py": {"psycopg", "sqlalchemy.create_engine"},
    "store/sql/sqlite.py": {"sqlalchemy.create_engine"},
    # the operator's collector of traces
    "telemetry/otel.py": {"opentelemetry"},
    # finds the files of a package that is installed
    "web/docs.py": {"importlib"},
}


def test_nothing_but_the_door_opens_connections():
    found = {
        str(path.relative_to(APP)): ways
        for path in sorted(APP.rglob("*.py"))
        if (ways := found_in(path.read_text()))
    }

    assert found == DOOR | OTHERS


@pytest.mark.parametrize(
    ("source", "ways"),
    [
        ("import urllib.request as u\nu.urlopen('x')", {"urllib.request"}),
        ("from urllib import request", {"urllib.request"}),
        ("from urllib.request import urlopen as fetch", {"urllib.request"}),
        ("from urllib.parse import quote", set()),
        ("from socket import create_connection as c", {"socket.create_connection"}),
        ("import socket as s\ndef f(): return s.socket()", {"socket.socket"}),
        ("import socket\nsocket.AF_INET", set()),
        ("from http import client", {"http.client"}),
        ("import http\nhttp.HTTPStatus.OK", set()),
        ("import requests", {"requests"}),
        ("from app.web import requests\nrequests.client()", set()),
        ("requests = []\nrequests.append(1)", set()),
        ("import smtplib\nsmtplib.SMTP('x')", {"smtplib"}),
        ("import asyncio\nasyncio.open_connection('x', 1)", {"asyncio"}),
        ("import os\nos.execvp('curl', [])", {"os.exec*"}),
        ("from os import posix_spawn", {"os.posix_spawn*"}),
        ("import os\nos.environ", set()),
        ("__import__('socket')", {"__import__"}),
        ("from importlib import import_module as i\ni('socket')", {"importlib"}),
        ("eval('1')", {"eval"}),
        ("from logging.handlers import SMTPHandler", {"logging.handlers.SMTPHandler"}),
        ("import logging\nlogging.getLogger('x')", set()),
        ("from sqlalchemy import create_engine", {"sqlalchemy.create_engine"}),
    ],
)
def test_the_search_sees_every_way_to_write_it(source, ways):
    assert found_in(source) == ways
