"""Caddy with infra/proxy/Caddyfile as it is: TLS with a certificate of Caddy's own authority."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.stack.compose import INFRA, container
from tests.stack.service import Service, program


class Proxy(Service):
    name = "proxy"

    def __init__(self, folder: Path, port: int, mlflow_port: int, variables: Mapping[str, str]) -> None:
        here = {"0.0.0.0": "127.0.0.1", "8443": str(port), "mlflow:5000": f"127.0.0.1:{mlflow_port}"}
        state = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
        super().__init__(folder, container("proxy", variables, here).environment | state)
        self.url = f"https://{variables['NEWSCLF_SITE']}:{port}"
        self.ca = folder / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def commands(self) -> Iterator[list[str]]:
        yield [program("caddy"), "run", "--config", str(INFRA / "proxy" / "Caddyfile"), "--adapter", "caddyfile"]

    def answers(self) -> bool:
        if not self.ca.exists():
            return False
        trust = ssl.create_default_context(cafile=str(self.ca))
        try:
            urllib.request.urlopen(self.url, timeout=5, context=trust).close()
        except urllib.error.HTTPError as error:
            return error.code == 401  # the right answer to a stranger
        return False
