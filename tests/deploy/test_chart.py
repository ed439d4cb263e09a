"""The Helm chart: linted and rendered by Helm's own code, and what comes out held to Kubernetes'
schemas.
"""

import copy
import ipaddress
import json
import re
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from perdure.api.errors import ApiError
from perdure.api.guards import Guards
from perdure.runtime.endpoint_addresses import AllowedEndpoints
from tests.deploy.test_container import ROOT

CHART = ROOT / "deploy" / "helm" / "perdure"
VERSIONS = ("1.27", "1.30", "1.34")
EVERYTHING: dict[str, Any] = {
    "replicas": 5,
    "image": {"repository": "registry.example/perdure", "tag": "x", "pullSecrets": ["a"]},
    "highAvailability": False,
    "allowWeakDurability": True,
    "allowedHosts": ["perdure.example.org"],
    "allowedEndpoints": ["*.shop.svc.cluster.local:8080", "10.0.0.0/8"],
    "shutdownSeconds": 120,
    "extraEnv": [{"name": "PERDURE_QUOTAS", "value": "aws"}],
    "service": {"type": "LoadBalancer", "port": 80, "annotations": {"a": "b"}},
    "networkPolicy": {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    "serviceAccount": {"annotations": {"role": "r"}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "t"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "z", "operator": "Exists"}]}]}}},
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"a": "b"}},
        }
    ],
    "priorityClassName": "high",
}  # fmt: skip
BARE: dict[str, Any] = {
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
    "serviceAccount": {"create": False},
}
CASES = {"as it is": {}, "with everything": EVERYTHING, "with as little as may be": BARE}


def rendered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the chart makes, by kind."""
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(copy.deepcopy(values), name="perdure", namespace="shop")
    found: dict[str, dict[str, Any]] = {}
    for name, text in files.items():
        if name.endswith(".yaml"):
            for document in yaml.safe_load_all(text):
                if document is not None:
                    assert document["kind"] not in found
                    found[document["kind"]] = document
    return found


@pytest.fixture(scope="module")
def default() -> dict[str, dict[str, Any]]:
    """The chart as it is."""
    return rendered({})


def container(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the one container of the deployment."""
    (one,) = documents["Deployment"]["spec"]["template"]["spec"]["containers"]
    return one


def variables(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the container's environment."""
    return {
        one["name"]: one.get("value", one.get("valueFrom")) for one in container(documents)["env"]
    }


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_the_chart_passes_its_linter(values: dict[str, Any]) -> None:
    report = helm_python.lint(str(CHART), values, strict=True, with_subcharts=True)
    assert report["total_charts_linted"] == 1
    assert report["errors"] == []
    assert [one for one in report["messages"] if one["severity"] > 1] == []


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "perdure"
    broken.mkdir()
    (broken / "Chart.yaml").write_text("apiVersion: v2\nname: perdure\n")
    report = helm_python.lint(str(broken), {}, strict=True)
    assert report["errors"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_what_it_makes_fits_kubernetes_schemas(values: dict[str, Any], version: str) -> None:
    documents = rendered(values)
    kinds = {"Deployment", "Service"}
    if values is not BARE:
        kinds |= {"PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"}
    assert documents.keys() == kinds
    for document in documents.values():
        kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_find_what_is_wrong(default: dict[str, dict[str, Any]]) -> None:
    document = copy.deepcopy(default["Deployment"])
    document["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": 0},
        {"replicas": "3"},
        {"image": {"repository": ""}},
        {"secret": {"name": ""}},
        {"service": {"port": 70_000}},
        {"service": {"type": "ExternalName"}},
        {"allowedHosts": ["a b"]},
        {"allowedEndpoints": ["a,b"]},
        {"shutdownSeconds": -1},
        {"replicaCount": 3},
        {"networkPolicy": {"enable": True}},
    ],
    ids=json.dumps,
)
def test_values_that_cannot_be_meant_are_refused(values: dict[str, Any]) -> None:
    with helm_python.Chart.load(str(CHART)) as chart, pytest.raises(helm_python.HelmError):
        chart.validate_schema(chart.merge_values(copy.deepcopy(values)))


def test_the_probes_reach_the_service(default: dict[str, dict[str, Any]]) -> None:
    """It answers to hosts that it knows, and a pod's address is none of them."""
    (port,) = container(default)["ports"]
    probes = {
        name: container(default)[f"{name}Probe"] for name in ("startup", "liveness", "readiness")
    }
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    guards = Guards(())
    for probe in probes.values():
        assert probe["httpGet"]["port"] == port["name"]
        (header,) = probe["httpGet"]["httpHeaders"]
        assert header["name"] == "Host"
        guards._check_host(header["value"].encode())
    with pytest.raises(ApiError):
        guards._check_host(b"10.1.2.3:9070")


def test_the_page_names_values_that_there_are() -> None:
    page = (ROOT / "docs" / "operating" / "deployment.md").read_text()
    (rows,) = re.findall(r"^\| value \| default .*\n\| ---.*\n((?:\|.*\n)+)", page, re.M)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    for name in re.findall(r"^\| `([a-zA-Z.]+)`", rows, re.M):
        found: Any = values
        for part in name.split("."):
            assert part in found, name
            found = found[part]


@pytest.mark.parametrize("values", [{}, EVERYTHING])
def test_a_node_has_the_time_that_it_needs_to_end(values: dict[str, Any]) -> None:
    documents = rendered(values)
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    (_, seconds) = container(documents)["lifecycle"]["preStop"]["exec"]["command"]
    handlers = int(variables(documents)["PERDURE_SHUTDOWN_SECONDS"])
    readiness = container(documents)["readinessProbe"]
    assert pod["terminationGracePeriodSeconds"] >= int(seconds) + handlers + 10
    assert int(seconds) > readiness["periodSeconds"] * readiness["failureThreshold"]


def test_a_node_may_do_nothing_beyond_its_own(default: dict[str, dict[str, Any]]) -> None:
    pod = default["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] == 10_001
    assert pod["automountServiceAccountToken"] is False
    security = container(default)["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    writable = {
        one["mountPath"] for one in container(default)["volumeMounts"] if "readOnly" not in one
    }
    assert writable == {"/data", "/tmp"}


def test_secrets_come_from_a_secret_alone(default: dict[str, dict[str, Any]]) -> None:
    told = variables(default)
    assert told["PERDURE_STORE"] == {"secretKeyRef": {"name": "perdure", "key": "database-url"}}
    (mount,) = [one for one in container(default)["volumeMounts"] if one["name"] == "signing-key"]
    assert told["PERDURE_KEY_FILE"] == f"{mount['mountPath']}/signing-key"
    assert "Secret" not in default


def test_everybody_means_the_same_pods(default: dict[str, dict[str, Any]]) -> None:
    labels = default["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = (
        default["Deployment"]["spec"]["selector"]["matchLabels"],
        default["Service"]["spec"]["selector"],
        default["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        default["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        default["NetworkPolicy"]["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"],
    )
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


def test_the_services_names_are_answered(default: dict[str, dict[str, Any]]) -> None:
    hosts = variables(default)["PERDURE_ALLOW_HOST"].split()
    guards = Guards(hosts)
    for name in ("perdure:9070", "perdure.shop:9070", "perdure.shop.svc.cluster.local:9070"):
        guards._check_host(name.encode())
    assert "perdure.example.org" in variables(rendered(EVERYTHING))["PERDURE_ALLOW_HOST"].split()


def test_allowed_endpoints_are_a_list_that_the_service_reads() -> None:
    assert "PERDURE_ALLOWED_ENDPOINTS" not in variables(rendered({}))
    entries = variables(rendered(EVERYTHING))["PERDURE_ALLOWED_ENDPOINTS"].split(",")
    allowed = AllowedEndpoints(entries)
    allowed.check_url("http://orders.shop.svc.cluster.local:8080")
    allowed.check_address("orders", ipaddress.ip_address("10.1.2.3"), 8080)


def test_flags_are_words_that_the_service_reads() -> None:
    told = variables(rendered({}))
    assert (told["PERDURE_HA"], told["PERDURE_ALLOW_WEAK_DURABILITY"]) == ("1", "0")
    told = variables(rendered(EVERYTHING))
    assert (told["PERDURE_HA"], told["PERDURE_ALLOW_WEAK_DURABILITY"]) == ("0", "1")
    assert told["PERDURE_QUOTAS"] == "aws"


def test_nobody_is_let_in_unless_the_policy_says_so(default: dict[str, dict[str, Any]]) -> None:
    (rule,) = default["NetworkPolicy"]["spec"]["ingress"]
    assert rule["from"][1:] == [{"podSelector": {}}]
    (rule,) = rendered(EVERYTHING)["NetworkPolicy"]["spec"]["ingress"]
    assert rule["from"][1:] == [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
