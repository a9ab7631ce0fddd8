"""What in a program could open a connection, ask a name server or start a program."""

import ast
from collections.abc import Iterator

MODULES = {
    "_socket",
    "aiohttp",
    "asyncio",
    "ctypes",
    "ftplib",
    "grpc",
    "http.client",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "imaplib",
    "importlib",
    "multiprocessing",
    "nntplib",
    "opentelemetry",
    "poplib",
    "psycopg",
    "pty",
    "redis",
    "requests",
    "runpy",
    "smtplib",
    "socketserver",
    "ssl",
    "subprocess",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "webbrowser",
    "websocket",
    "websockets",
    "xmlrpc",
}
BUILT_IN = {"__import__", "eval", "exec"}
NAMES = BUILT_IN | {
    "logging.handlers.DatagramHandler",
    "logging.handlers.HTTPHandler",
    "logging.handlers.SMTPHandler",
    "logging.handlers.SocketHandler",
    "logging.handlers.SysLogHandler",
    "os.exec*",
    "os.fork",
    "os.popen",
    "os.posix_spawn*",
    "os.spawn*",
    "os.system",
    "prometheus_client.push*",
    "socket.create_connection",
    "socket.fromfd",
    "socket.getaddrinfo",
    "socket.gethostby*",
    "socket.getnameinfo",
    "socket.socket",
    "socket.socketpair",
    "sqlalchemy.create_engine",
    "sqlite3.connect",
}


def found_in(source: str) -> set[str]:
    """Name the ways out of a program, under whatever name it imports them."""
    tree = ast.parse(source)
    known = dict(_imported(tree))
    used = set(known.values()) | {_written(node, known) for node in ast.walk(tree)}
    return {way for name in used if (way := _way(name))}


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Give what each imported thing is called here, and what it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield each.asname or each.name, each.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                yield each.asname or each.name, f"{node.module}.{each.name}"


def _written(node: ast.AST, known: dict[str, str]) -> str:
    """Return the full name of something that is mentioned."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id if node.id in BUILT_IN else "")
    if isinstance(node, ast.Attribute):
        return f"{_written(node.value, known)}.{node.attr}"
    return ""


def _way(name: str) -> str | None:
    """Return the entry that forbids a name."""
    for each in MODULES:
        if name == each or name.startswith(f"{each}."):
            return each
    for each in NAMES:
        if (
            name == each
            or name.startswith(f"{each}.")
            or (each.endswith("*") and name.startswith(each[:-1]))
        ):
            return each
    return None
