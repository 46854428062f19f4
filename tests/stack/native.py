"""All services together, on one folder, in the order in which the compose file starts them."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.stack.compose import INFRA, Container, container
from tests.stack.database import Database
from tests.stack.object_store import PROGRAMS, ObjectStore
from tests.stack.proxy import Proxy
from tests.stack.service import Service, free_ports, program
from tests.stack.tracking_server import TrackingServer

SECRETS = ("DB_ROOT_PASSWORD", "DB_PASSWORD", "S3_SECRET", "ADMIN_PASSWORD", "SESSION_SECRET")
PORTS = ("db", "mlflow", "proxy", "s3", "account", "container", "object")


class NativeStack:
    """MariaDB, Swift, MLflow and Caddy on 127.0.0.1. Ports, secrets and data stay in `folder` and are found again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        settings = self._settings()
        port, self.variables = settings["ports"], settings["variables"]
        db = Database(self.folder / "db", port["db"], "mlflow", "mlflow", self.variables["NEWSCLF_DB_PASSWORD"])
        s3_ports = [port[name] for name in ("s3", "account", "container", "object")]
        s3 = ObjectStore(
            self.folder / "s3", s3_ports, self.variables["NEWSCLF_S3_KEY"], self.variables["NEWSCLF_S3_SECRET"]
        )
        mlflow = TrackingServer(self.folder / "mlflow", port["mlflow"], db, s3, self.variables)
        proxy = Proxy(self.folder / "proxy", port["proxy"], port["mlflow"], self.variables)
        self.db, self.s3, self.mlflow, self.proxy = db, s3, mlflow, proxy
        self.services: dict[str, Service] = {one.name: one for one in (db, s3, mlflow, proxy)}
        self.uri, self.ca = proxy.url, proxy.ca
        self.admin = ("admin", self.variables["NEWSCLF_ADMIN_PASSWORD"])

    def start(self) -> None:
        self.db.start()
        self.s3.start()
        self.s3.run(sys.executable, INFRA / "bucket" / "bucket.py", **self._bucket().environment)
        self.mlflow.start()
        self.proxy.start()

    def stop(self) -> None:
        for service in reversed(self.services.values()):
            service.stop()

    def environment(self, user: str | None = None, password: str | None = None) -> dict[str, str]:
        """What a client exports; by default the administrator's name and password."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_USERNAME": user or self.admin[0],
            "MLFLOW_TRACKING_PASSWORD": password or self.admin[1],
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.ca),
        }

    def _bucket(self) -> Container:
        return container("bucket", self.variables, {"http://minio:9000": self.s3.endpoint})

    def _settings(self) -> dict[str, dict[str, Any]]:
        path = self.folder / "settings.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
            variables = {f"NEWSCLF_{name}": secrets.token_hex(16) for name in SECRETS}
            # Swift's names of users have two parts.
            variables |= {"NEWSCLF_S3_KEY": "newsclf:mlflow", "NEWSCLF_SITE": "localhost"}
            variables |= {"NEWSCLF_PORT": str(ports["proxy"]), "NEWSCLF_TLS": "internal"}
            path.touch(mode=0o600)
            path.write_text(json.dumps({"ports": ports, "variables": variables}, indent=1))
        return json.loads(path.read_text())


@contextlib.contextmanager
def native_stack(folder: Path) -> Iterator[NativeStack]:
    """A running stack whose state is in `folder`, new or as an earlier one left it; stopped at the end."""
    stack = NativeStack(folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def missing() -> list[str]:
    """The programs that the stack needs and this machine lacks."""
    found = []
    for name in ("mariadbd", "mariadb-install-db", "caddy", str(PROGRAMS / "swift-proxy-server")):
        try:
            program(name)
        except FileNotFoundError:
            found.append(name)
    return found
