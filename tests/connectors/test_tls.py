"""Whom the one door trusts."""

import socket
import ssl

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing
from app.connectors.resolving import Resolver
from app.security.addresses import AddressGuard
from tests.connectors.serving import Zone, answer, answering, get, read_request


@pytest.mark.parametrize("host", ["sluice.test", "SLUICE.test."])
def test_a_certificate_is_checked_against_the_name_and_the_name_is_sent(
    serve, certificate, client_tls, context, host
):
    asked_for = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    tls.sni_callback = lambda _, name, __: asked_for.append(name)
    server = serve(answering(answer(b"secret")), tls)
    client = HttpClient(
        AddressGuard(allow_private=True),
        dialing=Dialing(
            tls=client_tls, resolver=Resolver(lookup=Zone(sluice_test=["127.0.0.1"]))
        ),
    )

    assert client.call(context, get(server.url(host=host))).body == b"secret"
    assert asked_for == ["sluice.test"]


def test_a_certificate_of_another_name_is_refused(serve, server_tls, client_tls, fails):
    server = serve(answering(answer(b"secret")), server_tls)
    lookup = Zone(other_test=["127.0.0.1"])
    client = HttpClient(
        AddressGuard(allow_private=True),
        dialing=Dialing(tls=client_tls, resolver=Resolver(lookup=lookup)),
    )

    failure = fails(get(server.url(host="other.test")), client)

    assert (failure.code, failure.retryable) == ("connect-failed", False)
    assert "certificate" in str(failure)
    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, server_tls, fails):
    server = serve(answering(answer()), server_tls)

    failure = fails(get(server.url()), HttpClient(AddressGuard(allow_private=True)))

    assert "self-signed certificate" in str(failure)


def test_an_answer_over_tls_that_is_cut_is_not_a_success(serve, server_tls, fails):
    def cut(server, connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # no farewell of TLS

    server = serve(cut, server_tls)

    assert fails(get(server.url())).code == "connect-failed"


def test_a_server_that_speaks_no_tls_is_a_failed_step(serve, fails):
    server = serve(lambda _, connection: connection.sendall(answer()))

    failure = fails(get(f"https://127.0.0.1:{server.port}/"))

    assert failure.code == "connect-failed"
