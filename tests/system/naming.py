"""A name server on loopback that changes its mind, and how to ask it."""

import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address
from typing import Any

from dnslib import AAAA, CNAME, QTYPE, RR, A, DNSRecord

from app.connectors.resolving import Target

LARGEST = 512  # bytes of a question
PATIENCE = 5.0  # seconds
KINDS = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}


class NameServer:
    """Answers by a script, over UDP, with a time to live of 0.

    A script is one set of addresses a lookup; the last one stays. An entry that is
    no address is an alias.
    """

    def __init__(self, **scripts: Sequence[Sequence[str]]) -> None:
        self._scripts = {
            name.replace("_", "."): list(script) for name, script in scripts.items()
        }
        self.questions: dict[str, int] = defaultdict(int)  # of each name, as A
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @contextmanager
    def serving(self) -> Iterator["NameServer"]:
        """Answer while the block lasts."""
        self._thread.start()
        try:
            yield self
        finally:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._thread.join(PATIENCE)

    def lookup(self, host: str, port: int) -> list[Target]:
        """Ask for both kinds of address, as the system would.

        Raises:
            OSError: there is no such name.
        """
        found = [
            _target(KINDS[kind], str(each.rdata), port)
            for kind in ("AAAA", "A")
            for each in self._ask(host, kind).rr
            if QTYPE[each.rtype] == kind
        ]
        if not found:
            raise OSError(f"no address of {host}")
        return found

    def _ask(self, host: str, kind: str) -> Any:
        question = DNSRecord.question(host, kind)
        address, port = self._socket.getsockname()
        return DNSRecord.parse(question.send(address, port, timeout=PATIENCE))

    def _serve(self) -> None:
        with suppress(OSError):
            while (received := self._socket.recvfrom(LARGEST))[0]:
                data, sender = received
                self._socket.sendto(self._answer(DNSRecord.parse(data)), sender)

    def _answer(self, question: DNSRecord) -> bytes:
        name, kind = str(question.q.qname).rstrip("."), QTYPE[question.q.qtype]
        reply = question.reply()
        for each in self._addresses(name, last=kind == "A"):
            if record := _record(kind, each):
                reply.add_answer(RR(question.q.qname, ttl=0, **record))
        return bytes(reply.pack())

    def _addresses(self, name: str, *, last: bool) -> Sequence[str]:
        """Return the present set; the second question of a lookup ends it."""
        script = self._scripts.get(name, [[]])
        now = script[0]
        if last:
            self.questions[name] += 1
            if len(script) > 1:
                script.pop(0)
        return now


def _record(kind: str, entry: str) -> dict[str, object] | None:
    if not any(each.isdigit() or each == ":" for each in entry):
        return {"rtype": QTYPE.CNAME, "rdata": CNAME(entry)}
    if ":" in entry:
        packed = AAAA(tuple(IPv6Address(entry).packed))
        return {"rtype": QTYPE.AAAA, "rdata": packed} if kind == "AAAA" else None
    return {"rtype": QTYPE.A, "rdata": A(entry)} if kind == "A" else None


def _target(family: int, address: str, port: int) -> Target:
    if family == socket.AF_INET6:
        return Target(family, (address, port, 0, 0))
    return Target(family, (address, port))
