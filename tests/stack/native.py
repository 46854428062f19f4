"""All services together, on one folder, in the order in which the compose file starts them."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.stack.compose import INFRA
from tests.stack.database import Database
from tests.stack.object_store import SWIFT, ObjectStore
from tests.stack.proxy import Proxy
from tests.stack.service import Service, free_ports, program
from tests.stack.tracking_server import TrackingServer

S3_PORTS = ("s3", "account", "container", "object")
PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb", "caddy", str(SWIFT / "swift-proxy-server"))
PORTS = ("db", "mlflow", "proxy", *S3_PORTS)


class NativeStack:
    """MariaDB, Swift, MLflow and Caddy on 127.0.0.1. Ports, secrets and data stay in `folder` and are found again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        port = self._ports()
        self.variables = self._variables(port["proxy"])
        db = Database(self.folder / "db", port["db"], self.variables)
        s3 = ObjectStore(self.folder / "s3", [port[name] for name in S3_PORTS], self.variables)
        mlflow = TrackingServer(self.folder / "mlflow", port["mlflow"], db, s3, self.variables)
        proxy = Proxy(self.folder / "proxy", port["proxy"], port["mlflow"], self.variables)
        self.db, self.s3, self.mlflow, self.proxy = db, s3, mlflow, proxy
        self.services: dict[str, Service] = {one.name: one for one in (db, s3, mlflow, proxy)}
        self.uri, self.ca = proxy.url, proxy.ca
        self.admin = ("admin", self.variables["NEWSCLF_ADMIN_PASSWORD"])

    def start(self) -> None:
        self.db.start()
        self.s3.start()
        self.s3.make_bucket()
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

    def stores(self) -> dict[str, str]:
        """The plain endpoints of the stores, for infra/backup.sh and infra/restore.sh."""
        return self.s3.client_environment | {
            "NEWSCLF_DB_OPTIONS": str(self.db.client_options),
            "NEWSCLF_DB_NAME": self.db.database,
            "NEWSCLF_LOGIN_DATABASE": self.mlflow.environment["NEWSCLF_LOGIN_DATABASE"],
            "NEWSCLF_PYTHON": sys.executable,
        }

    def _ports(self) -> dict[str, int]:
        path = self.folder / "ports.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(dict(zip(PORTS, free_ports(len(PORTS)), strict=True))))
        return json.loads(path.read_text())

    def _variables(self, port: int) -> dict[str, str]:
        """The settings and secrets of an operator: .env, written by his script, which keeps it beside itself."""
        path = self.folder / ".env"
        if not path.exists():
            for script in ("init-env.sh", "check-env.sh"):
                shutil.copy(INFRA / script, self.folder)
            # Swift's names of users have two parts.
            settings = (f"NEWSCLF_PORT={port}", "NEWSCLF_S3_KEY=newsclf:mlflow")
            subprocess.run([str(self.folder / "init-env.sh"), *settings], check=True, stdout=subprocess.DEVNULL)
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)


@contextlib.contextmanager
def native_stack(folder: Path) -> Iterator[NativeStack]:
    """A running stack whose state is in `folder`, new or as an earlier one left it; stopped at the end."""
    stack = NativeStack(folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def missing(programs: Iterable[str] = PROGRAMS) -> list[str]:
    """Those of the programs that this machine lacks."""
    found = []
    for name in programs:
        try:
            program(name)
        except FileNotFoundError:
            found.append(name)
    return found
