"""What Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from app.telemetry.metrics import Metrics

POOL = ("workers", "busy", "queued", "capacity")


def samples(metrics):
    text, _ = metrics.render()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_has_the_names_that_dashboards_rely_on():
    metrics = Metrics()
    metrics.webhook("accepted")
    metrics.executed("success", 0.2)
    metrics.started(0.01)
    metrics.step("http.request", 0.1)
    metrics.http_request("/hooks/<token>", "POST", 202, 0.004)
    metrics.show({f"sluice_pool_{name}": n for n, name in enumerate(POOL)})

    found = samples(metrics)

    assert found["sluice_webhooks_total", "accepted"] == 1
    assert found["sluice_executions_total", "success"] == 1
    assert found["sluice_execution_seconds_count",] == 1
    assert found["sluice_queue_seconds_count",] == 1
    assert found["sluice_step_seconds_count", "http.request"] == 1
    assert found["sluice_http_requests_total", "/hooks/<token>", "202", "POST"] == 1
    assert found["sluice_http_request_seconds_count",] == 1
    assert [found[f"sluice_pool_{name}",] for name in POOL] == [0, 1, 2, 3]


def test_processes_of_one_test_run_do_not_share_counters():
    Metrics().webhook("accepted")

    assert samples(Metrics())["sluice_webhooks_total", "accepted"] == 0
