"""The image and the compose file."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.deploy.files import DEPLOY, ROOT, documents

LIMIT_SECONDS = 60
CONTAINERFILE = DEPLOY / "Containerfile"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def adapter_service() -> Any:
    (compose,) = documents(DEPLOY / "compose.yaml")
    return compose["services"]["adapter"]


def check(*command: str) -> None:
    done = subprocess.run(
        [*command], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_linter_of_containerfiles_has_nothing_to_say() -> None:
    check(str(Path(sys.executable).with_name("hadolint")), str(CONTAINERFILE))


def test_what_is_copied_is_let_into_the_build() -> None:
    ignored = CONTAINERFILE.with_name("Containerfile.dockerignore").read_text().split()
    copied = re.findall(r"^COPY (?!--from)(\S+)", CONTAINERFILE.read_text(), re.MULTILINE)

    assert {f"!{path}" for path in copied} == {line for line in ignored if line.startswith("!")}


def test_image_runs_as_the_user_that_the_cluster_asks_for() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE.read_text(), re.MULTILINE)

    assert user is not None
    assert "0" not in user.groups()
    for file in ("adapter.yaml", "vllm-sidecar.yaml"):
        text = (DEPLOY / "kubernetes" / file).read_text()
        assert f"runAsUser: {user[1]}" in text
        assert f"runAsGroup: {user[2]}" in text


def test_compose_file_fits_its_schema() -> None:
    check(
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
        str(DEPLOY / "compose.yaml"),
    )


def test_only_the_adapter_is_published_and_on_loopback() -> None:
    (compose,) = documents(DEPLOY / "compose.yaml")
    published = {
        name: each["ports"] for name, each in compose["services"].items() if "ports" in each
    }

    assert published == {"adapter": ["${LISTEN:-127.0.0.1:9000}:9000"]}
    assert compose["services"]["adapter"]["read_only"] is True


def test_yaml_is_tidy() -> None:
    check(sys.executable, "-m", "yamllint", "-c", str(DEPLOY / ".yamllint"), str(DEPLOY))


def test_image_has_every_extra_but_the_demo() -> None:
    extras = set(PROJECT["project"]["optional-dependencies"])
    script = (ROOT / "requirements" / "compile").read_text()
    line = re.search(r"^image_extras=\((.*)\)$", script, re.MULTILINE)

    assert line is not None
    assert set(line[1].split()) == extras - {"all", "demo"}
