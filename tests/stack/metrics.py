"""The compose file's profile `metrics` without Grafana: Prometheus with its configuration, and the exporter of runs."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.stack.compose import INFRA, container
from tests.stack.native import NativeStack
from tests.stack.service import Service, free_ports, listens, program


class Exporter(Service):
    name = "exporter"

    def __init__(self, folder: Path, port: int, stack: NativeStack) -> None:
        described = container("exporter", stack.variables, {"http://mlflow:5000": stack.mlflow.url})
        super().__init__(folder, described.environment | {"EXPORTER_HOST": "127.0.0.1", "EXPORTER_PORT": str(port)})
        self.port = port

    def commands(self) -> Iterator[list[str]]:
        yield [sys.executable, str(INFRA / "metrics" / "exporter.py")]

    def answers(self) -> bool:
        return listens(self.port)


class Prometheus(Service):
    """Prometheus on infra/metrics/prometheus.yml, in which the containers' addresses are made those of this machine."""

    name = "prometheus"

    def __init__(self, folder: Path, port: int, exporter: Exporter, stack: NativeStack, interval: str) -> None:
        super().__init__(folder)
        self.url, self.password = f"http://127.0.0.1:{port}", stack.admin[1]
        self.here = {
            "mlflow:5000": stack.mlflow.url.removeprefix("http://"),
            "exporter:9200": f"127.0.0.1:{exporter.port}",
            "/tmp/admin_password": str(folder / "admin_password"),
            # Two scrapes are what a rate needs.
            "scrape_interval: 15s": f"scrape_interval: {interval}",
            "scrape_interval: 1m": f"scrape_interval: {interval}",
            "scrape_timeout: 30s": f"scrape_timeout: {interval}",
        }

    def prepare(self) -> None:
        text = (INFRA / "metrics" / "prometheus.yml").read_text()
        for inside, outside in self.here.items():
            assert inside in text, f"prometheus.yml has no {inside} any more"
            text = text.replace(inside, outside)
        (self.folder / "prometheus.yml").write_text(text)
        (self.folder / "admin_password").write_text(self.password)

    def commands(self) -> Iterator[list[str]]:
        yield [
            program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]

    def answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
            return True

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression comes to now. Raises HTTPError where Prometheus cannot read it."""
        url = f"{self.url}/api/v1/query?{urlencode({'query': expression})}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]["result"]


def metrics_services(folder: Path, stack: NativeStack, interval: str = "5s") -> tuple[Exporter, Prometheus]:
    """Both, not started yet."""
    exporter_port, port = free_ports(2)
    exporter = Exporter(folder / "exporter", exporter_port, stack)
    return exporter, Prometheus(folder / "prometheus", port, exporter, stack, interval)
