"""What the tests of the data room share: options, a home folder of their own, real data, a web server."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from newsclf.config import DataOptions
from newsclf.data.sources import download


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees, or writes to, the caches of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("NEWSCLF_DATA_DIR", "NEWSCLF_AG_NEWS_URL", "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download, "BACK_OFF_S", 0.01)
    return home


@pytest.fixture
def options() -> Callable[..., DataOptions]:
    return DataOptions


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the public data sets; they are no part of the project."""
    folder = Path(os.environ.get("NEWSCLF_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    if not (folder / "ag_news" / "train.csv").is_file():
        pytest.skip(f"no data in {folder}; NEWSCLF_TEST_DATA names the folder")
    return folder


@dataclass
class WebServer:
    """Answers GET by `script`, one entry a request: a status to fail with, "truncated", or "whole"."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    script: list[int | str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests.append(self.path)
            act = server.script.pop(0) if server.script else "whole"
            content = server.files.get(self.path)
            status = act if isinstance(act, int) else 200 if content is not None else 404
            self.send_response(status)
            body = content if status == 200 and content is not None else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if act == "truncated" else body)
            if act == "truncated":
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = WebServer(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
    thread.join()
