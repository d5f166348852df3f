"""The manifests fit the schemas of Kubernetes, and are as safe as they can be."""

from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.files import KUBERNETES, documents, resource, resources

# The oldest and the newest that we say it works on: `lifecycle.preStop.sleep` and sidecars are on.
VERSIONS = ("1.30", "1.37")
RESOURCES = resources()
PODS = [
    pytest.param(each["spec"]["template"]["spec"], id=f"{file} {each['metadata']['name']}")
    for file, each in RESOURCES
    if each["kind"] in {"Deployment", "StatefulSet"}
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "manifest",
    [pytest.param(each, id=f"{file} {each['kind']}") for file, each in RESOURCES],
)
def test_manifest_fits_its_schema(manifest: Any, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_kustomization_names_files_that_are_there() -> None:
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")

    assert [name for name in kustomization["resources"] if not (KUBERNETES / name).exists()] == []


@pytest.mark.parametrize("pod", PODS)
def test_our_containers_and_the_store_have_no_rights(pod: Any) -> None:
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert (pod.get("securityContext", {}) | rights)["runAsNonRoot"] is True


@pytest.mark.parametrize("file", ["adapter.yaml", "vllm-sidecar.yaml"])
def test_probes_ask_for_health(file: str) -> None:
    pod = resource(file, "Deployment")["spec"]["template"]["spec"]
    (adapter,) = pod["containers"]

    assert adapter["livenessProbe"]["httpGet"] == {"path": "/health/live", "port": "http"}
    assert adapter["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}


def test_selectors_lead_to_pods() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for _, each in RESOURCES
        if each["kind"] in {"Deployment", "StatefulSet"}
    ]
    selectors = [
        each["spec"]["selector"]
        if each["kind"] == "Service"
        else each["spec"]["selector"]["matchLabels"]
        for _, each in RESOURCES
        if "selector" in each.get("spec", {})
    ]

    assert [selector for selector in selectors if selector not in labels] == []


def test_what_pods_take_their_settings_from_is_there() -> None:
    (container,) = resource("adapter.yaml", "Deployment")["spec"]["template"]["spec"]["containers"]
    sources = {
        (kind, source["name"]) for entry in container["envFrom"] for kind, source in entry.items()
    }

    there = {
        (f"{each['kind'][0].lower()}{each['kind'][1:]}Ref", each["metadata"]["name"])
        for _, each in RESOURCES
    }
    assert sources <= there


def test_autoscaler_and_budget_leave_a_replica() -> None:
    scaler = resource("scaling.yaml", "HorizontalPodAutoscaler")["spec"]
    budget = resource("scaling.yaml", "PodDisruptionBudget")["spec"]

    assert scaler["scaleTargetRef"]["name"] == "responses-adapter"
    assert scaler["minReplicas"] > budget["maxUnavailable"]
