"""Connections to the outside that a stop or a deadline breaks at any moment."""

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

import httpcore2
import httpx2
from typing_extensions import override

from app.connectors.resolving import Resolver, Target
from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed
from app.security.addresses import AddressGuard

P = ParamSpec("P")
R = TypeVar("R")


def strict_tls() -> ssl.SSLContext:
    """Trust the system, or ``SSL_CERT_FILE``; an answer that is cut short is an error.

    Some releases of Python take the end of a connection without the TLS goodbye for
    the end of the answer.
    """
    context = httpx2.create_ssl_context()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing:
    """How connections are made.

    Args:
        resolver: looks names up.
        tls: whom to trust; by default the system, or ``SSL_CERT_FILE``.
        limit: seconds, each for the name, the connection and the handshake.
    """

    resolver: Resolver = field(default_factory=Resolver)
    tls: ssl.SSLContext = field(default_factory=strict_tls)
    limit: float = 10.0


class Line(httpcore2.NetworkStream):
    """One connection of one call.

    Stopping the execution shuts the socket down, which ends every blocking call
    on it. It is never closed from outside: its number could be another's by then.
    A shut socket reads like a finished answer, so the context is asked after
    each operation and not only when one fails.
    """

    def __init__(
        self, context: ExecutionContext, target: Target, *, seconds: float
    ) -> None:
        """Connect.

        Raises:
            OSError: nobody listens there, or not within so many seconds.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
        """
        self._context = context
        self._sock = socket.socket(target.family, socket.SOCK_STREAM)
        try:
            self._connect(target, seconds)
        except BaseException:
            self.close()
            raise

    def _connect(self, target: Target, seconds: float) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.settimeout(0)
        code = self._sock.connect_ex(target.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
        # Only from here: a shutdown before the attempt began would do nothing.
        self._context.stop.add(self._wake)
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        ready = poll.poll(min(seconds, self._context.remaining()) * 1000)
        self._context.check()
        if not ready:
            raise TimeoutError
        if code := self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(code, os.strerror(code))

    def _wake(self) -> None:
        with suppress(OSError):  # not connected any more: nothing waits on it
            # The plain one: SSLSocket's own drops the TLS state under the reader.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def _bounded(
        self, seconds: float | None, step: Callable[P, R], *args: P.args, **kw: P.kwargs
    ) -> R:
        """Do one blocking operation within the context's time and this limit."""
        self._context.check()
        left = self._context.remaining()
        try:
            self._sock.settimeout(left if seconds is None else min(seconds, left))
            result = step(*args, **kw)
        except OSError:
            self._context.check()
            raise
        self._context.check()
        return result

    @override
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            self._sock = tls = ssl_context.wrap_socket(
                self._sock,
                server_hostname=(server_hostname or "").rstrip("."),
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,  # a cut answer is not a finished one
            )
            self._bounded(timeout, tls.do_handshake)
        except BaseException:
            self.close()
            raise
        return self

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._bounded(timeout, self._sock.recv, max_bytes)

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[self._bounded(timeout, self._sock.send, rest) :]
        except OSError as error:
            # Known to httpcore2: it still reads the answer of a server that
            # refused early and hung up.
            raise httpcore2.WriteError from error

    @override
    def close(self) -> None:
        self._context.stop.discard(self._wake)
        self._sock.close()

    @override
    def get_extra_info(self, info: str) -> object:
        is_tls = info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket)
        return self._sock if is_tls else None


class Network(httpcore2.NetworkBackend):
    """Opens the connections of one call, to checked addresses only."""

    def __init__(
        self, context: ExecutionContext, guard: AddressGuard, dialing: Dialing
    ) -> None:
        self._context = context
        self._guard = guard
        self._dialing = dialing

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Line:
        """Look the name up once, check all it stands for, connect to what was checked.

        Raises:
            StepFailed: `blocked-address`, `connect-failed` or `timeout`.
            Cancelled, Interrupted, DeadlineExceeded: from the context.
        """
        limit = self._dialing.limit
        targets = self._dialing.resolver.resolve(self._context, host, port, limit)
        if not all(self._guard.check(each.address) for each in targets):
            raise StepFailed(
                "blocked-address",
                f"{host} is not a public address; an operator may allow its range"
                " with SLUICE_OUTBOUND_ALLOW",
            )
        return self._first_that_answers(targets, f"{host} port {port}")

    def _first_that_answers(self, targets: list[Target], where: str) -> Line:
        limit = self._dialing.limit
        failed: OSError | None = None
        for target in targets:
            try:
                return Line(self._context, target, seconds=limit / len(targets))
            except OSError as error:
                failed = error
        if isinstance(failed, TimeoutError):
            message = f"{where} did not answer within {limit:g} s"
            raise StepFailed("timeout", message, retryable=True) from failed
        message = f"{where} cannot be reached: {failed and failed.strerror}"
        raise StepFailed("connect-failed", message, retryable=True) from failed

    @override
    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        raise StepFailed("blocked-address", "local sockets cannot be called")
