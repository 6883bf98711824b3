"""The servers of docs/compose.yaml, as far as that can be said without Docker."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_everything_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        assert "image" in service or "FROM" in service["build"]["dockerfile_inline"]
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        assert {config["source"] for config in service.get("configs", ())} <= set(COMPOSE["configs"])
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(COMPOSE["volumes"])


def test_only_this_machine_is_served_until_somebody_says_otherwise() -> None:
    ports = [port for service in SERVICES.values() for port in service["ports"]]
    assert len(ports) == 3 and all(port.startswith("${LISTEN:-127.0.0.1}:") for port in ports)


def test_every_secret_comes_from_the_file_beside_it_and_must_be_there() -> None:
    named = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    explained = set(re.findall(r"^#   ([A-Z_]+)=", TEXT, re.MULTILINE))
    assert named == explained
    secrets = {name for name in named if name.endswith(("PASSWORD", "SECRET"))}
    assert len(secrets) == 3
    for use in re.findall(r"\$\{[A-Z_]+[^}]*\}", TEXT):
        assert not use[2:].startswith(tuple(secrets)) or ":?must be set in lab.env" in use
    assert not any(name in SERVICES["mlflow"]["command"] for name in secrets)  # `ps` shows a command


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of MLflow's own imports
def test_mlflow_knows_the_options_of_its_command_and_the_variables() -> None:
    from mlflow import environment_variables
    from mlflow.cli import server

    program, command, *words = shlex.split(SERVICES["mlflow"]["command"])
    assert (program, command) == ("mlflow", "server")
    known = {option for parameter in server.params for option in parameter.opts}
    options = [word for word in words if word.startswith("--")]
    assert {"--artifacts-destination", "--allowed-hosts", "--app-name"} <= set(options) <= known
    given = [re.sub(r"\$\{[A-Z_]+:-(.*?)\}", r"\1", word) for word in words]
    assert server.make_context("server", given).params["app_name"] == "basic-auth"
    for variable in SERVICES["mlflow"]["environment"]:
        assert hasattr(environment_variables, variable) or variable == "MLFLOW_BACKEND_STORE_URI", variable


@pytest.mark.parametrize("page", ["many-machines.md"])
def test_every_launcher_is_shown_in_under_fifteen_lines(page: str) -> None:
    blocks = re.findall(r"```(sh|yaml)\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert len(blocks) == 6 and all(len(text.splitlines()) < 15 for _, text in blocks)
    (manifest,) = (yaml.safe_load(text) for language, text in blocks if language == "yaml")
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    assert manifest["kind"] == "Job" and container["command"][:2] == ["thaw", "worker"]
