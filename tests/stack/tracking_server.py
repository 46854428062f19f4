"""The MLflow server, started by the command, the environment and the start script that the container has."""

import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stack.compose import INFRA, container
from tests.stack.database import Database
from tests.stack.object_store import ObjectStore
from tests.stack.service import Service


class TrackingServer(Service):
    name = "mlflow"

    def __init__(self, folder: Path, port: int, db: Database, s3: ObjectStore, variables: Mapping[str, str]) -> None:
        here = {
            "--host=0.0.0.0": "--host=127.0.0.1",
            "--port=5000": f"--port={port}",
            "mlflow:5000": f"127.0.0.1:{port}",
            "db:3306": f"127.0.0.1:{db.port}",
            "http://minio:9000": s3.endpoint,
        }
        # A folder of the container is one of the same name here.
        here |= {inside: f"{folder}{inside}" for inside in ("/data", "/scratch", "/run/metrics")}
        described = container("mlflow", variables, here)
        # In the image all of them stand in one folder.
        super().__init__(folder, described.environment | {"PYTHONPATH": f"{INFRA / 'mlflow'}:{INFRA / 'bucket'}"})
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{self.environment['PATH']}"
        self.command = described.command
        self.url = f"http://127.0.0.1:{port}"

    def prepare(self) -> None:
        for inside in ("data", "scratch", "run/metrics"):
            (self.folder / inside).mkdir(parents=True)

    def commands(self) -> Iterator[list[str]]:
        yield [sys.executable, str(INFRA / "mlflow" / "start.py"), *self.command]

    def answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/health", timeout=5):
            return True
