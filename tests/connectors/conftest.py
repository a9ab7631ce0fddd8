import ssl
import time

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing, strict_tls
from app.connectors.registry import Call
from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed
from app.security.addresses import AddressGuard
from app.security.vault import Vault
from app.store.memory import MemoryStore
from tests.connectors.provider import Provider
from tests.connectors.serving import Server
from tests.connectors.town import Clock, Town
from tests.connectors.watching import Watch
from tests.services import certificates


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A file with the key and the certificate of localhost and sluice.test."""
    return certificates.make(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="session")
def client_tls(certificate):
    context = strict_tls()
    context.load_verify_locations(certificate)
    return context


@pytest.fixture
def serve(request):
    """Start a server; it ends with the test."""

    def start(script, tls=None) -> Server:
        server = Server(script, tls)
        request.addfinalizer(server.close)
        return server

    return start


@pytest.fixture
def http(client_tls):
    """The door as in development: loopback may be called."""
    return HttpClient(AddressGuard(allow_private=True), dialing=Dialing(tls=client_tls))


@pytest.fixture
def context():
    return ExecutionContext("exec_1", time.monotonic() + 10)


@pytest.fixture
def call(context, http):
    return Call(context=context, http=http, idempotency_key="exec_1:notify")


@pytest.fixture
def fails(http, context):
    """Make a call that fails, and return its failure."""

    def attempt(request, client=http):
        with pytest.raises(StepFailed) as failed:
            client.call(context, request)
        return failed.value

    return attempt


@pytest.fixture
def provider():
    """An authorization server."""
    one = Provider()
    yield one
    one.close()


@pytest.fixture
def town(http):
    """A store, a vault and a clock."""
    return Town(http, MemoryStore(), Vault([b"k" * 32]), Clock())


@pytest.fixture
def purse(town):
    """What gets tokens."""
    return town.purse()


@pytest.fixture(scope="session")
def watch():
    return Watch()


@pytest.fixture(autouse=True)
def _no_other_way(watch):
    """Whatever a connector does, it opens connections through the door alone."""
    yield
    assert watch.beside == []
