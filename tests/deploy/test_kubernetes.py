"""The manifests for Kubernetes: the API's schemas know them, and they fit the image."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import ValidationError, validate

from app.telemetry.readings import GAUGES
from tests.deploy.dockerfile import last
from tests.deploy.test_compose import ELSEWHERE
from tests.deploy.units import ROOT, environment

FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.29", "1.33", "1.37")
GRACE = 45  # seconds until systemd kills, too


def _documents(name: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all((FOLDER / name).read_text())


LISTED: list[str] = next(_documents("kustomization.yaml"))["resources"]
ALL = [
    pytest.param(each, id=f"{name}-{each['kind']}")
    for name in [*LISTED, "secret.example.yaml"]
    for each in _documents(name)
]


def _deployment(name: str) -> dict[str, Any]:
    [found] = [
        each for each in _documents(f"{name}.yaml") if each["kind"] == "Deployment"
    ]
    return found


def _pod(name: str) -> dict[str, Any]:
    pod: dict[str, Any] = _deployment(name)["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", ALL)
def test_the_schema_of_the_api_knows_every_field(
    document: dict[str, Any], version: str
):
    assert validate(document, version, strict=True) == version


def test_a_field_that_does_not_exist_would_be_noticed():
    document = _deployment("web")
    document["spec"]["template"]["spec"]["restartpolicy"] = "Always"

    with pytest.raises(ValidationError):
        validate(document, VERSIONS[-1], strict=True)


def test_every_file_is_listed_but_for_the_secrets_and_the_adapters_values():
    files = {each.name for each in FOLDER.glob("*.yaml")}

    assert files - set(LISTED) == {
        "kustomization.yaml",
        "prometheus-adapter.yaml",
        "secret.example.yaml",
    }


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_pod_is_given_longer_to_stop_than_the_drain_and_the_wait_before_it(name: str):
    pod = _pod(name)
    [container] = pod["containers"]
    before = container.get("lifecycle", {}).get("preStop", {}).get("exec", {})
    waits = int(before["command"][1]) if before else 0

    assert pod["terminationGracePeriodSeconds"] >= GRACE + waits


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_pod_runs_as_the_images_user_and_may_write_only_its_folders(name: str):
    pod = _pod(name)
    [container] = pod["containers"]
    user, group = map(int, last("USER").split(":"))

    assert pod["securityContext"]["runAsUser"] == user
    assert pod["securityContext"]["runAsGroup"] == group
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    mounted = {each["mountPath"] for each in container["volumeMounts"]}
    assert mounted == {last("VOLUME"), "/tmp"}  # noqa: S108  compared, not used


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_lost_database_takes_a_pod_from_service_but_restarts_none(name: str):
    [container] = _pod(name)["containers"]

    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_rollout_never_has_fewer_pods_and_a_drained_node_leaves_one(name: str):
    [budget] = [
        each
        for each in _documents(f"{name}.yaml")
        if each["kind"] == "PodDisruptionBudget"
    ]

    assert _deployment(name)["spec"]["strategy"]["rollingUpdate"] == {
        "maxUnavailable": 0,
        "maxSurge": 1,
    }
    assert budget["spec"]["minAvailable"] == 1
    assert budget["spec"]["selector"] == _deployment(name)["spec"]["selector"]


def test_workers_are_scaled_by_a_figure_that_is_there_to_be_scraped():
    [rule] = next(_documents("prometheus-adapter.yaml"))["rules"]["external"]
    [scaler] = [
        each
        for each in _documents("worker.yaml")
        if each["kind"] == "HorizontalPodAutoscaler"
    ]

    [metric] = scaler["spec"]["metrics"]
    name = metric["external"]["metric"]["name"]
    assert name in GAUGES
    assert rule["name"]["as"] == rule["seriesQuery"] == name
    assert rule["metricsQuery"] == f"max({name})"


def test_probes_ask_by_a_name_that_the_service_answers_to():
    [settings] = _documents("settings.yaml")
    trusted = settings["data"]["SLUICE_TRUSTED_HOSTS"].split(",")

    for name in ("web", "worker"):
        [container] = _pod(name)["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            [host] = container[probe]["httpGet"]["httpHeaders"]
            assert host == {"name": "Host", "value": trusted[0]}


def test_production_has_the_same_settings_as_under_systemd_and_no_secret_is_given():
    [settings] = _documents("settings.yaml")
    [secret] = _documents("secret.example.yaml")
    systemd = environment()

    for name in ("SLUICE_ENV", "SLUICE_PROXY_HOPS"):
        assert settings["data"][name] == systemd[name]
    keys = {
        name: value for name, value in secret["stringData"].items() if "URL" not in name
    }
    assert keys
    assert set(keys.values()) == {""}
    assert not set(keys) & set(settings["data"])
    assert not ELSEWHERE & set(settings["data"])
