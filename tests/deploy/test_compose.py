"""The compose file: it is valid, and what it names exists."""

import re
from dataclasses import fields

import pytest
import yaml

from app.settings import Settings
from tests.deploy.compose import EXAMPLE, TEXT, variables, written
from tests.deploy.dockerfile import last
from tests.deploy.units import ROOT

OURS = ("web-1", "web-2", "worker")
ELSEWHERE = {"WEB_CONCURRENCY", "SLUICE_BIND"}  # read by gunicorn.conf.py alone


def test_the_example_names_every_variable_of_the_file_and_fills_in_no_secret():
    used = set(re.findall(r"\$\{(\w+)", TEXT))

    assert used == set(variables()) - {"COMPOSE_PROJECT_NAME"}
    filled = re.findall(r"^(\w+)=.+$", EXAMPLE.read_text(), re.MULTILINE)
    assert filled == ["COMPOSE_PROJECT_NAME"]


def test_there_are_two_of_what_must_not_be_one():
    services = written()

    assert services["web-1"].keys() == services["web-2"].keys()
    assert services["web-1"]["environment"] == services["web-2"]["environment"]
    assert services["worker"]["environment"] == services["web-1"]["environment"]
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["worker"]["command"] == ["python", "-m", "app", "worker"]


def test_every_setting_is_one_that_exists():
    known = {
        each.metadata.get("env", f"SLUICE_{each.name.upper()}")
        for each in fields(Settings)
    }

    assert set(written()["web-1"]["environment"]) <= known | ELSEWHERE


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_time_to_drain_and_few_rights(name: str):
    service = written()[name]

    assert service["stop_grace_period"] == "45s"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["build"]["dockerfile"] == "deploy/Dockerfile"
    assert service["environment"]["PORT"] == last("EXPOSE")


def test_what_is_mounted_from_the_project_exists():
    mounts = [
        volume.partition(":")[0]
        for service in written().values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]
    own = set(mounts) - {"./certs"}  # made by whoever installs it

    assert own
    assert [each for each in own if not (ROOT / "deploy" / each).exists()] == []


def test_nginx_passes_requests_to_the_addresses_that_the_two_have():
    services = written()
    addresses = [
        services[name]["networks"]["front"]["ipv4_address"] for name in OURS[:2]
    ]

    servers = services["nginx"]["environment"]["SLUICE_SERVERS"].split()
    assert servers == [f"{each}:8000" for each in addresses]


def test_only_nginx_can_be_reached_from_other_machines():
    published = {
        name: [str(port) for port in service["ports"]]
        for name, service in written().items()
        if "ports" in service
    }

    assert published.pop("nginx") == ["80:80", "443:443"]
    assert all(
        port.startswith("127.0.0.1:") for ports in published.values() for port in ports
    )


def test_redis_keeps_what_it_was_told_and_refuses_rather_than_forgets():
    command = written()["redis"]["command"]

    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_grafana_finds_prometheus_and_the_dashboard_the_source_that_it_names():
    shipped = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    [theirs] = yaml.safe_load(shipped.read_text())["datasources"]
    ours_file = ROOT / "deploy/compose/datasource.yml"
    [ours] = yaml.safe_load(ours_file.read_text())["datasources"]

    assert ours == theirs | {"url": "http://prometheus:9090"}


def test_prometheus_asks_every_process_and_knows_the_rules_that_are_shipped():
    shipped = ROOT / "deploy/prometheus/prometheus.yml"
    [theirs] = yaml.safe_load(shipped.read_text())["scrape_configs"]
    ours = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    [job] = ours["scrape_configs"]

    assert job["job_name"] == theirs["job_name"]
    assert ours["rule_files"] == ["rules.yml"]
    [asked] = job["static_configs"]
    assert asked["targets"] == [f"{name}:8000" for name in OURS[:2]]
    [found] = job["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["worker"], 8000)
