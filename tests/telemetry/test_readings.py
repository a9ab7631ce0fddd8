"""Totals that are kept elsewhere, as counters."""

from prometheus_client import CollectorRegistry

from app.telemetry.readings import Readings

TOTAL = "sluice_dropped_log_lines_total"


def test_a_counter_follows_a_total_also_when_a_late_reading_is_an_older_one():
    registry = CollectorRegistry()
    readings = Readings(registry)

    for value in (3, 5, 4, 6):
        readings.follow(TOTAL, value)

    assert registry.get_sample_value(TOTAL) == 6
