"""What the compose file means: who is seen from outside, who sees whom, and that nothing starts without its secrets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"
TEXT = (INFRA / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
ONE_SHOT = {"bucket"}
METRICS = {"exporter", "prometheus", "grafana"}
# ${NAME:?message}, ${NAME:-default}, ${NAME}
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")
SECRET = re.compile(r"PASSWORD|SECRET|_KEY$")

everyone = pytest.mark.parametrize("name", SERVICES)


def networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def test_only_the_proxy_publishes_a_port_and_on_the_address_of_the_settings() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert SERVICES["proxy"]["ports"] == ["${NEWSCLF_ADDRESS:-127.0.0.1}:${NEWSCLF_PORT:-443}:8443"]
    assert not any("network_mode" in service for service in SERVICES.values())


def test_database_and_object_store_are_on_an_internal_network_that_the_proxy_is_not_on() -> None:
    assert networks("db") == networks("minio") == networks("bucket") == {"backend"}
    assert [name for name, network in COMPOSE["networks"].items() if not network.get("internal")] == ["edge"]
    assert [name for name in SERVICES if "edge" in networks(name)] == ["proxy"]
    assert [name for name in SERVICES if "backend" in networks(name)] == ["db", "minio", "bucket", "mlflow"]


def test_no_secret_has_a_default_and_no_other_variable_is_asked_for() -> None:
    found = [(match["name"], match["rest"]) for match in VARIABLE.finditer(TEXT)]
    secrets = {name for name, _ in found if SECRET.search(name)}
    assert secrets == {
        "NEWSCLF_ADMIN_PASSWORD", "NEWSCLF_DB_PASSWORD", "NEWSCLF_DB_ROOT_PASSWORD",
        "NEWSCLF_S3_KEY", "NEWSCLF_S3_SECRET", "NEWSCLF_SESSION_SECRET",
    }  # fmt: skip
    assert {rest[:2] for name, rest in found if name in secrets} == {":?"}
    assert {rest[:2] for name, rest in found if name not in secrets} == {":-"}


@everyone
def test_a_setting_that_is_a_secret_comes_from_a_variable(name: str) -> None:
    literal = {
        key: value
        for key, value in (SERVICES[name].get("environment") or {}).items()
        if SECRET.search(key) and not str(value).startswith("${")
    }
    assert literal == {}


@everyone
def test_every_service_is_held_in_bounds(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")
    assert "privileged" not in service
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


@everyone
def test_nobody_is_root(name: str) -> None:
    service = SERVICES[name]
    user = service.get("user")
    if user is None:  # then the image says who
        build = service["build"]
        context, file = (build, "Dockerfile") if isinstance(build, str) else (build["context"], build["dockerfile"])
        user = re.findall(r"^USER (\S+)$", (INFRA / context / file).read_text(), flags=re.MULTILINE)[-1]
    assert user.split(":")[0] not in ("0", "root")


@everyone
def test_every_server_tells_whether_it_is_healthy(name: str) -> None:
    assert ("healthcheck" in SERVICES[name]) == (name not in ONE_SHOT)


def test_everyone_waits_for_what_it_needs() -> None:
    waits = {
        name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
        if name not in METRICS
    }
    healthy = "service_healthy"
    assert waits == {
        "db": {},
        "minio": {},
        "bucket": {"minio": healthy},
        "mlflow": {"db": healthy, "bucket": "service_completed_successfully"},
        "proxy": {"mlflow": healthy},
    }


@everyone
def test_data_is_on_named_volumes_and_the_rest_is_read_only(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (source.startswith("./") and volume.endswith(":ro")), volume
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert set(COMPOSE["volumes"]) <= used


@everyone
def test_images_are_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), service["image"]


@pytest.mark.parametrize("file", sorted(INFRA.glob("*/Dockerfile")), ids=lambda file: file.parent.name)
def test_base_images_are_pinned(file: Path) -> None:
    (image,) = re.findall(r"^FROM (\S+)$", file.read_text(), flags=re.MULTILINE)
    assert re.search(r":(\d+\.\d+\.\d+(-[a-z-]+)?|RELEASE\.[\dTZ-]+)$", image), image


def test_metrics_are_a_profile() -> None:
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["metrics"]} == METRICS
    assert all(networks(name) == {"front"} for name in METRICS)


def test_the_server_logs_users_in_and_hands_artifacts_on() -> None:
    command, environment = SERVICES["mlflow"]["command"], SERVICES["mlflow"]["environment"]
    assert command[:2] == ["mlflow", "server"]
    assert {"--app-name=newsclf", "--serve-artifacts"} <= set(command), "the guard, and with it the login"
    flags = dict(word.split("=", 1) for word in command if "=" in word)
    assert flags["--artifacts-destination"].startswith("s3://")
    for flag in ("--allowed-hosts", "--cors-allowed-origins"):
        assert "${NEWSCLF_SITE:-localhost}" in flags[flag]
        assert "*" not in flags[flag]
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert environment["MLFLOW_BASIC_AUTH_FAIL_CLOSED"] == "true"
    assert environment["NEWSCLF_LOGIN_DATABASE"].startswith("/data/")
    assert "login:/data" in SERVICES["mlflow"]["volumes"]
    assert environment["TMPDIR"] == "/scratch", "artifacts pass through a folder, and tmpfs is memory"
    assert "scratch:/scratch" in SERVICES["mlflow"]["volumes"]


def test_the_override_leaves_minio_out_and_asks_for_an_endpoint() -> None:
    text = (INFRA / "docker-compose.s3.yml").read_text()
    override = yaml.safe_load(text)["services"]
    assert override["minio"] == {"profiles": ["never"]}
    # Compose refuses a profile that is off where somebody cannot do without it.
    needs = {
        name: service["depends_on"] for name, service in SERVICES.items() if "minio" in service.get("depends_on", {})
    }
    assert needs == {"bucket": {"minio": {"condition": "service_healthy", "required": False}}}
    for name in ("bucket", "mlflow"):
        assert override[name]["environment"]["MLFLOW_S3_ENDPOINT_URL"].startswith("${NEWSCLF_S3_ENDPOINT:?")
        assert override[name]["networks"] == ["edge"], "an endpoint out there cannot be reached from inside"
