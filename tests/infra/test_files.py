"""Every file of infra/ by the linter of its kind, and the pins of the server's image."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from tools.lock import ROOT, closure, pins

INFRA = ROOT / "infra"
SERVER = ("mlflow", "boto3", "PyMySQL", "Flask-WTF", "prometheus-flask-exporter")
FROM_DEBIAN = ("caddy", "cloud-init", "promtool")
SCRIPTS = sorted(INFRA.rglob("*.sh"))


def lint(tool: str, *arguments: str | Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which(tool, path=path)
    if not program and tool in FROM_DEBIAN and os.environ.get("NEWSCLF_TEST_STACK") != "required":
        pytest.skip(f"{tool} is not installed; see .ci/run")
    assert program, f"{tool} is needed"
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_files_are_of_the_compose_specification() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *INFRA.glob("docker-compose*.yml"))


def test_workflows_are_of_githubs_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *(ROOT / ".github/workflows").glob("*.yml"))


def test_dockerfiles_pass_hadolint() -> None:
    lint("hadolint", *INFRA.rglob("Dockerfile"))


def test_scripts_pass_shellcheck_and_can_be_called() -> None:
    assert SCRIPTS
    lint("shellcheck", *SCRIPTS)
    for script in SCRIPTS:
        called = script.read_text().startswith("#!/usr/bin/env bash\n")
        assert os.access(script, os.X_OK) == called, script


def test_the_cloud_init_file_is_of_its_schema() -> None:
    lint("cloud-init", "schema", "--config-file", INFRA / "azure" / "cloud-init.yaml")


@pytest.mark.parametrize("tls", ["internal", "acme", "files"])
def test_caddy_reads_its_settings(tls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in yaml.safe_load((INFRA / "docker-compose.yml").read_text())["services"]["proxy"][
        "environment"
    ].items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PROXY_SITE", "mlflow.example.org")
    monkeypatch.setenv("PROXY_TLS", tls)
    lint("caddy", "adapt", "--config", INFRA / "proxy" / "Caddyfile")
    lint("caddy", "fmt", "--diff", INFRA / "proxy" / "Caddyfile")


def test_prometheus_reads_its_settings() -> None:
    lint("promtool", "check", "config", "--syntax-only", INFRA / "metrics" / "prometheus.yml")


def test_the_image_has_the_versions_of_the_project_and_all_that_they_need() -> None:
    image = pins((INFRA / "mlflow" / "requirements.txt").read_text().splitlines())
    project = pins((ROOT / "python_env.yaml").read_text().splitlines())
    same = {canonicalize_name(name): version for name, version in project.items()}
    found = {canonicalize_name(name): version for name, version in image.items()}
    assert {name: version for name, version in found.items() if same.get(name, version) != version} == {}
    assert found.keys() == closure(SERVER), "run `make lock`"
    assert not {"torch", "transformers", "whylogs"} & found.keys()


def test_every_file_that_the_image_copies_is_there() -> None:
    copied = [
        word
        for line in (INFRA / "mlflow" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    ]
    assert {path.name for path in (INFRA / "mlflow").glob("*.py")} <= {Path(name).name for name in copied}
    assert [name for name in copied if not (INFRA / name).is_file()] == []


def test_a_dashboards_queries_are_on_its_own_source() -> None:
    dashboard = yaml.safe_load((INFRA / "metrics/grafana/dashboards/newsclf.json").read_text())
    (source,) = yaml.safe_load((INFRA / "metrics/grafana/datasources/prometheus.yml").read_text())["datasources"]
    charts = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert charts
    assert {panel["datasource"]["uid"] for panel in charts} == {source["uid"]}
    assert all(panel["targets"] for panel in charts)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
