"""What the files set is a setting, and the times in them fit together."""

import re
from pathlib import Path
from typing import Any

import pytest

from adapter.cli.stopping import LAST_WORDS_SECONDS
from adapter.config import ENV_PREFIX, Settings, describe_settings
from tests.deploy.files import DEPLOY, documents, resource
from tests.deploy.test_container import adapter_service

FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]
KNOWN = {ENV_PREFIX + name.upper() for name in describe_settings()}
DEFAULTS = Settings()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(file: Path) -> None:
    """But for those of `compose.yaml` itself."""
    named = set(re.findall(rf"(?<!{{){ENV_PREFIX}[A-Z_]+\b", file.read_text()))

    assert named <= KNOWN


def test_settings_of_the_config_map_are_taken() -> None:
    data: dict[str, str] = resource("settings.yaml", "ConfigMap")["data"]

    settings = Settings.load(environ=data)

    assert settings.upstream == data["ADAPTER_UPSTREAM"]
    assert all(isinstance(value, str) for value in data.values())


def test_pod_is_killed_only_after_all_that_it_waits_for() -> None:
    settings = Settings.load(environ=resource("settings.yaml", "ConfigMap")["data"])
    pod = resource("adapter.yaml", "Deployment")["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] > _stop_seconds(pod, settings)


def test_sidecar_is_killed_only_after_all_that_it_waits_for() -> None:
    pod = resource("vllm-sidecar.yaml", "Deployment")["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] > _stop_seconds(pod, DEFAULTS)


def _stop_seconds(pod: Any, settings: Settings) -> float:
    (container,) = pod["containers"]
    hook: int = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    return hook + _seconds(settings)


def _seconds(settings: Settings) -> float:
    """Return how long a process may take behind SIGTERM."""
    waits = (settings.shutdown_delay, settings.shutdown_timeout, settings.background_drain)
    return sum(waits) + LAST_WORDS_SECONDS


def test_others_are_killed_only_after_all_that_they_wait_for() -> None:
    stop = _seconds(DEFAULTS)
    unit = (DEPLOY / "systemd" / "responses-adapter.service").read_text()
    limit = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)

    assert limit is not None
    assert int(limit[1]) > stop
    assert int(adapter_service()["stop_grace_period"].removesuffix("s")) > stop


def test_balancer_takes_bodies_as_large_as_the_adapter_does() -> None:
    conf = (DEPLOY / "nginx" / "adapter.conf").read_text()
    limit = re.search(r"client_max_body_size (\d+)m;", conf)

    assert limit is not None
    assert int(limit[1]) * 1024 * 1024 >= DEFAULTS.max_body_bytes


def test_volumes_of_the_compose_file_are_declared() -> None:
    (compose,) = documents(DEPLOY / "compose.yaml")
    used = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }

    assert used == compose["volumes"].keys()
