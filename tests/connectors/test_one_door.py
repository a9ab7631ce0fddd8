"""Only the door talks to the outside; anything else would be unchecked."""

import ast
from pathlib import Path

# Programs of their own: the server that receives, the operator's command line.
APART = {"server", "cli"}
APP = Path(__file__).parents[2] / "app"
DOOR = {
    "connectors/http.py": {"httpcore2"},
    "connectors/outgoing.py": {"httpx2"},
    "connectors/network.py": {"httpcore2", "httpx2", "socket.socket"},
    "connectors/resolving.py": {"socket.getaddrinfo"},
}
CLIENTS = {
    "aiohttp",
    "asyncio",
    "ftplib",
    "http.client",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "imaplib",
    "poplib",
    "requests",
    "smtplib",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc.client",
}
OPENERS = {
    "socket.create_connection",
    "socket.fromfd",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.socket",
}


def ways_out(source: str) -> set[str]:
    """Name what in a program could open a connection or ask a name server."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names.add(node.module)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(f"{node.value.id}.{node.attr}")
    return names & (CLIENTS | OPENERS)


def test_nothing_but_the_door_opens_connections():
    found = {
        str(path.relative_to(APP)): ways
        for path in sorted(APP.rglob("*.py"))
        if path.relative_to(APP).parts[0] not in APART
        and (ways := ways_out(path.read_text()))
    }

    assert found == DOOR


def test_the_search_sees_every_way_to_write_it():
    assert ways_out("import urllib.request as u\nu.urlopen('x')") == {"urllib.request"}
    assert ways_out("from socket import create_connection") == {
        "socket.create_connection"
    }
    assert ways_out("import socket\ndef f(): return socket.socket()") == {
        "socket.socket"
    }
    assert ways_out("from http import client") == {"http.client"}
    assert ways_out("import requests") == {"requests"}
