import ipaddress
import ssl
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.connectors.http import HttpClient
from app.connectors.network import Dialing, strict_tls
from app.connectors.registry import Call
from app.domain import times
from app.domain.context import ExecutionContext
from app.domain.errors import StepFailed
from app.security.addresses import AddressGuard
from app.security.vault import Vault
from app.store.memory import MemoryStore
from tests.connectors.provider import Provider
from tests.connectors.serving import Server
from tests.connectors.town import Clock, Town
from tests.connectors.watching import Watch


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A file with the key and the certificate of localhost and sluice.test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [
        x509.DNSName("localhost"),
        x509.DNSName("sluice.test"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(times.now() - timedelta(days=1))
        .not_valid_after(times.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


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
