"""No URL that a tenant can write reaches a private address."""

import pytest

from app.connectors.http import HttpClient
from app.connectors.network import Dialing, Network
from app.connectors.resolving import Resolver, Target
from app.domain.errors import StepFailed
from app.security.addresses import AddressGuard
from tests.connectors.hostile import BLOCKED, CONTROLS, UNREADABLE
from tests.connectors.serving import Zone, answer, answering, get

ZONE = Zone(
    localhost=["::1", "127.0.0.1"],
    foo_localhost=["127.0.0.1"],
    local_example=["127.0.0.1"],
    mixed_example=["93.184.216.34", "127.0.0.1"],
    six_example=["::1"],
    mapped_example=["::ffff:127.0.0.1"],
    metadata_google_internal=["169.254.169.254"],
)


@pytest.fixture
def canary(serve):
    """What lives on this machine and must not be reached."""
    return serve(answering(answer(b"reached")))


def attempt(url, canary, context, *, allow_private=False):
    guard = AddressGuard(allow_private=allow_private)
    client = HttpClient(guard, dialing=Dialing(resolver=Resolver(lookup=ZONE)))
    url = url.replace("{port}", str(canary.port))
    return client.call(context, get(url))


@pytest.mark.parametrize("url", BLOCKED.split())
def test_no_spelling_of_a_private_address_is_connected_to(url, canary, context):
    with pytest.raises(StepFailed) as failed:
        attempt(url, canary, context)

    assert failed.value.code == "blocked-address"
    assert not failed.value.retryable
    assert canary.connections == 0


@pytest.mark.parametrize("url", UNREADABLE.splitlines() + CONTROLS)
def test_a_url_that_parsers_may_read_differently_is_refused(url, canary, context):
    with pytest.raises(StepFailed) as failed:
        attempt(url, canary, context, allow_private=True)

    assert failed.value.code == "invalid-settings"
    assert str(canary.port) not in str(failed.value)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://0x7f.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "HTTP://LOCAL.Example.:{port}",
    ],
)
def test_the_canary_is_reached_where_private_addresses_are_allowed(
    url, canary, context
):
    assert attempt(url, canary, context, allow_private=True).body == b"reached"
    assert canary.connections == 1


def test_a_name_that_changes_its_address_is_asked_once_and_connected_as_checked(
    canary, context
):
    answers = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]

    def rebinding(host, port):
        return [Target(2, (answers.pop(0), port))]

    guard = AddressGuard(allow_private=True)
    client = HttpClient(guard, dialing=Dialing(resolver=Resolver(lookup=rebinding)))
    url = f"http://rebind.example:{canary.port}/"

    assert client.call(context, get(url)).body == b"reached"
    assert answers == ["127.0.0.2", "127.0.0.3"]


def test_a_local_socket_is_never_opened(context):
    network = Network(context, AddressGuard(allow_private=True), Dialing())

    with pytest.raises(StepFailed) as failed:
        network.connect_unix_socket("/var/run/docker.sock")

    assert failed.value.code == "blocked-address"
