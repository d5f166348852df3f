"""What `deploy/` has for Grafana and Prometheus names metrics and labels that there are."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from adapter.observe.meters import PREFIX, Meters

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
OF_PROMETHEUS = {"job", "instance", "le"}


def labels_by_sample() -> dict[str, set[str]]:
    """Return the labels of every sample that the adapter can show, by its name."""
    registry = CollectorRegistry()
    meters = [m for m in vars(Meters(registry)).values() if isinstance(m, MetricWrapperBase)]
    found: dict[str, set[str]] = {f"{PREFIX}_info": {"version"}}
    for meter in meters:
        (family,) = meter.describe()
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
        for suffix in suffixes.get(family.type, [""]):
            found[family.name + suffix] = set(meter._labelnames)
    return found


def panels() -> list[Any]:
    panels: list[Any] = json.loads(DASHBOARD.read_text())["panels"]
    return panels


def expressions() -> Iterator[str]:
    for panel in panels():
        for target in panel.get("targets", ()):
            yield target["expr"]
    yield from re.findall(r"expr: (?:\|\n)?((?: {10}.*\n)+|.*)", ALERTS.read_text())


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_metric_and_label_exists(expression: str) -> None:
    known = labels_by_sample()
    allowed = set(OF_PROMETHEUS)
    names = re.findall(rf"{PREFIX}_\w+", expression)

    assert names or expression.startswith("up{")
    for name in names:
        assert name in known
        allowed |= known[name]
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert {label.strip() for label in group.split(",")} <= allowed
    for selector in re.findall(r"\{([^}]*)\}", expression):
        assert {label.strip() for label in re.findall(r"(\w+)[=!]", selector)} <= allowed


def test_every_metric_is_on_the_dashboard() -> None:
    shown = "\n".join(expressions())
    families = {re.sub("_(total|bucket|count|sum)$", "", name) for name in labels_by_sample()}

    assert {name for name in families if name not in shown} == {f"{PREFIX}_info"}


def test_the_dashboard_is_whole() -> None:
    ids = [panel["id"] for panel in panels()]
    corners = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]

    assert len(set(ids)) == len(ids)
    assert len(set(corners)) == len(corners)
    assert all(panel["title"] for panel in panels())
    assert all(panel["description"] for panel in panels() if panel["type"] != "row")


@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "alerts.yaml"),
        ("check", "config", "scrape.yaml"),
        ("test", "rules", "alerts.test.yaml"),
    ],
)
def test_prometheus_takes_the_rules(command: tuple[str, ...]) -> None:
    """Asked where it is installed (Debian's package `prometheus`), as on the CI."""
    promtool = shutil.which("promtool")
    assert all((ALERTS.parent / name).is_file() for name in command if name.endswith(".yaml"))
    if promtool is None:
        return
    done = subprocess.run(
        [promtool, *command],
        cwd=ALERTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
