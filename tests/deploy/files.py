"""What the files in `deploy/` hold."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"


def documents(file: Path) -> list[Any]:
    """Return the documents of a YAML file."""
    return [document for document in yaml.safe_load_all(file.read_text()) if document is not None]


def resources() -> list[tuple[str, Any]]:
    """Return all Kubernetes resources, each with the name of its file."""
    return [
        (file.name, document)
        for file in sorted(KUBERNETES.glob("*.yaml"))
        for document in documents(file)
        if document["kind"] != "Kustomization"
    ]


def resource(file: str, kind: str) -> Any:
    """Return the one resource of a kind in a file."""
    (found,) = (each for name, each in resources() if (name, each["kind"]) == (file, kind))
    return found
