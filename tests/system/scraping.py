"""What a server tells Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from tests.system.client import send
from tests.system.serving import Server

ACCEPTED = 'sluice_webhooks_total{outcome="accepted"}'
SUCCESS = 'sluice_executions_total{status="success"}'


def scrape(server: Server) -> dict[str, float]:
    """All samples, written as Prometheus writes them."""
    text = send("GET", f"{server.url}/metrics").body.decode()
    return {
        _written(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _written(name: str, labels: dict[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
