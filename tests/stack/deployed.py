"""A stack that `make stack` has started with Docker Compose, with the face of a NativeStack: for the same tests."""

import subprocess

from tests.stack.compose import INFRA


class DeployedService:
    """A service of the compose file. `start` returns when it is healthy."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self) -> None:
        _compose("up", "--detach", "--wait", "--no-deps", self.name)

    def stop(self) -> None:
        _compose("stop", self.name)

    def kill(self) -> None:
        _compose("kill", self.name)


class DeployedStack:
    """Address, certificate, administrator and services of the stack that infra/.env describes."""

    def __init__(self) -> None:
        lines = (INFRA / ".env").read_text().splitlines()
        self.variables = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        port = self.variables.get("NEWSCLF_PORT", "443")
        self.uri = f"https://{self.variables.get('NEWSCLF_SITE', 'localhost')}" + (f":{port}" if port != "443" else "")
        self.ca = INFRA / "ca.crt"
        self.admin = ("admin", self.variables["NEWSCLF_ADMIN_PASSWORD"])
        names = {"db": "db", "s3": "minio", "mlflow": "mlflow", "proxy": "proxy"}
        self.services = {name: DeployedService(service) for name, service in names.items()}

    def environment(self, user: str | None = None, password: str | None = None) -> dict[str, str]:
        """What a client exports; by default the administrator's name and password."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_USERNAME": user or self.admin[0],
            "MLFLOW_TRACKING_PASSWORD": password or self.admin[1],
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.ca),
        }


def _compose(*words: str) -> None:
    subprocess.run(["docker", "compose", *words], cwd=INFRA, check=True, timeout=600)
