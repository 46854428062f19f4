"""Encoders by hub id: the hub's real client against a small server on 127.0.0.1."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = pytest.mark.integration

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OPTIONS = {"num_samples": 40, "epochs": 1}


@dataclass
class Hub:
    """What huggingface_hub 2.4 asks of a hub: a repository's list of files, and the files by commit."""

    url: str
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        name = path.removeprefix("/api/models/").partition("/revision/")[0].partition("/tree/")[0].strip("/")
        name = name.partition("/resolve/")[0]
        if name in self.forbidden:
            return 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "log in first"}, b"{}"
        files = self.repositories.get(name)
        if files is None:
            return 404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no such repository"}, b"{}"
        if "/tree/" in path:
            tree = [{"type": "file", "path": file, "size": len(files[file]), "oid": ""} for file in files]
            return 200, {}, json.dumps(tree).encode()
        if path.startswith("/api/"):
            siblings = [{"rfilename": file, "size": len(data)} for file, data in files.items()]
            return 200, {}, json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode()
        data = files.get(path.rpartition("/")[2])
        if data is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        return 200, {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT}, data


@pytest.fixture(scope="module")
def hub(tiny_encoder) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.requests.append(f"{self.command} {self.path}")
            status, headers, body = served.answer(self.path.partition("?")[0])
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Hub(f"http://127.0.0.1:{http.server_port}")
    files = {file.name: file.read_bytes() for file in tiny_encoder.iterdir()}
    pickled = files | {"pytorch_model.bin": b"a pickle"}
    del pickled["model.safetensors"]
    served.repositories = {
        "tiny/bert": files | {"pytorch_model.bin": b"a pickle", "README.md": b"a card", "onnx.onnx": b"more"},
        "tiny-bert": files,
        "tiny/pickled": pickled,
        "tiny/cut-off": files | {"model.safetensors": files["model.safetensors"][:-1000]},
    }
    served.forbidden = {"tiny/gated"}
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield served
    http.shutdown()
    http.server_close()


@pytest.fixture(scope="module")
def train(hub, place):
    def start(encoder: str, **environment: str):
        home = {"HF_ENDPOINT": hub.url, "HF_HOME": str(place.folder / "hub"), **environment}
        return place.run(*place.entry_point("train", {"encoder": encoder, **OPTIONS}), **home)

    return start


@pytest.fixture(scope="module")
def trained(train, hub):
    done = train("tiny/bert")
    assert done.returncode == 0, done.stderr
    return list(hub.requests)


def test_an_encoder_is_fetched_by_its_id(trained, place, tiny_encoder):
    run = place.runs()[-1]
    assert run.info.status == "FINISHED"
    assert run.data.params["encoder"] == "tiny/bert"
    weights = (tiny_encoder / "model.safetensors").read_bytes()
    assert run.data.tags["newsclf.encoder_sha256"] == hashlib.sha256(weights).hexdigest()


def test_only_the_files_that_are_read_are_fetched(trained, tiny_encoder):
    fetched = {path.rpartition("/")[2] for path in trained if path.startswith("GET /tiny/bert/resolve/")}
    assert fetched == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


def test_without_the_hub_the_fetched_files_are_used(trained, train, place, nobody):
    done = train("tiny/bert", HF_ENDPOINT=nobody)
    assert done.returncode == 0, done.stderr
    online, offline = place.runs()[-1], place.runs()[0]
    assert offline.data.metrics["test_log_loss"] == online.data.metrics["test_log_loss"]


# The same as train does, up to the files: without the seconds for the imports of all the rest.
FIND = """
import sys
from newsclf import cli
from newsclf.config import TrainConfig
from newsclf.model import weights
for name in sys.argv[1:]:
    load = lambda: lambda config: weights.find(config.encoder)
    print(cli.run("train", TrainConfig, load, ["--encoder", name]))
"""


@pytest.fixture
def find(hub, place):
    def start(*names: str) -> tuple[list[str], list[str]]:
        """The exit codes, and the lines on stderr."""
        done = place.run("python", "-c", FIND, *names, HF_ENDPOINT=hub.url, HF_HOME=str(place.folder / "hub"))
        return [line for line in done.stdout.splitlines() if line.isdecimal()], done.stderr.splitlines()

    return start


def test_what_has_been_fetched_is_not_fetched_again(trained, find, hub):
    hub.requests.clear()
    assert find("tiny/bert") == (["0"], [])
    assert hub.requests != []  # it asked for the newest commit
    assert [request for request in hub.requests if request.startswith("GET /tiny/bert/resolve/")] == []


def test_an_id_without_an_owner(find, hub):
    assert find("tiny-bert") == (["0"], [])
    assert f"GET /tiny-bert/resolve/{COMMIT}/model.safetensors" in hub.requests


def test_what_cannot_be_had_ends_in_one_line(find, hub):
    names = {
        "tiny/pickled": "no model.safetensors",
        "tiny/absent": f"{hub.url} answered 404",
        "tiny/gated": f"{hub.url} answered 401",
        "absent": f"{hub.url} answered 404",
        "tiny/be rt": "neither minilm, a folder, nor a well-formed hub id",
    }
    codes, lines = find(*names)
    assert codes == ["2"] * len(names)
    for line, (name, says) in zip(lines, names.items(), strict=True):
        assert line.startswith((f"train: encoder {name}", f"train: encoder '{name}'"))
        assert says in line


def test_a_file_of_the_hub_that_is_cut_off_fails_the_run(train, place):
    done = train("tiny/cut-off")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("train: encoder ")
    assert "its files cannot be read" in line
    assert place.runs()[0].info.status == "FAILED"
