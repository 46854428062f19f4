"""What the integration tests share: copies of the project, each with runs, cache and processes of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.doors import call, forget_tracking_uri
from tests.stack import PROGRAMS, NativeStack, missing, native_stack
from tests.stack.deployed import DeployedStack
from tests.stack.roles import Strict, strict_server

ROOT = Path(__file__).resolve().parents[2]
RUNS_FROM = (".gitignore", "MLproject", "python_env.yaml", "configs", "entrypoints", "newsclf")
FOREIGN = ("MLFLOW_", "NEWSCLF_", "HF_", "HUGGINGFACE_", "PYTHONPATH", "XDG_CACHE_HOME", "WHYLABS_")
DEPLOYED = os.environ.get("NEWSCLF_TEST_STACK") == "compose"


class Place:
    """A copy of the project; its processes see nobody's settings, runs or caches but their own."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder, self.project = folder, folder / "project"
        self.project.mkdir(parents=True)
        for name in RUNS_FROM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.project / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.project)
        shutil.copy(database, folder / "runs.db")
        self.uri = f"sqlite:///{folder / 'runs.db'}"
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": self.uri,
            "NEWSCLF_CACHE_DIR": str(folder / "cache"),
            "NEWSCLF_JOURNAL_DIR": str(folder / "journal"),
        }
        self.processes: list[subprocess.Popen[str]] = []

    def start(
        self, *command: object, cwd: Path | None = None, log: IO[str] | None = None, **environment: str | None
    ) -> subprocess.Popen[str]:
        """A process in a group of its own; an environment variable given as None is not set.

        Without `log`, what it prints goes to pipes, which the caller has to read.
        """
        merged = self.environment | environment
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd or self.project,
            env={name: text for name, text in merged.items() if text is not None},
            stdout=log or subprocess.PIPE,
            stderr=log or subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def run(
        self, *command: object, cwd: Path | None = None, timeout: float = 240, **environment: str | None
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*command, cwd=cwd, log=None, **environment)
        out, err = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def entry_point(self, verb: str, options: dict[str, Any]) -> list[str]:
        """The command that MLproject has for `verb`, with options."""
        return ["python", "-m", f"entrypoints.{verb}", *typed(options)]

    def mlflow_command(
        self, verb: str, options: dict[str, Any], uri: str = ".", env_manager: str = "local"
    ) -> list[str]:
        command = ["mlflow", "run", uri, "--env-manager", env_manager, "-e", verb]
        return command + [word for name, value in options.items() for word in ("-P", f"{name}={value}")]

    def mlflow_run(self, verb: str, options: dict[str, Any], **how: Any) -> subprocess.CompletedProcess[str]:
        """how: uri and env_manager of `mlflow_command`, and whatever `run` takes."""
        chosen = {name: how.pop(name) for name in ("uri", "env_manager") if name in how}
        return self.run(*self.mlflow_command(verb, options, **chosen), **how)

    def await_line(self, process: subprocess.Popen[str], start: str) -> str:
        """Read what the process prints up to the line that begins with `start`."""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(start):
                return line
        pytest.fail(f"it ended without a line {start!r}: {process.communicate()[1]}")

    def client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return list(self.client().search_runs(["0"]))

    def statuses(self) -> list[str]:
        return [run.info.status for run in self.runs()]

    def serve(self, *command: object, ready: str, **environment: str | None) -> str:
        """Start a server on a free port, wait until it answers on the path `ready`; its URL."""
        port = closed_port()
        url, logged = f"http://127.0.0.1:{port}", self.folder / "server.log"
        with logged.open("w") as log:
            address = ("--host", "127.0.0.1", "--port", port, "--workers", 1)
            process = self.start(*command, *address, cwd=self.folder, log=log, **environment)
        end = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url + ready, timeout=5):
                return url
            assert process.poll() is None, logged.read_text()
            assert time.monotonic() < end, logged.read_text()
            time.sleep(0.2)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)  # its own group, made above
                    process.communicate()


def typed(options: dict[str, Any]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def nobody() -> str:
    """The URL of a port of this machine on which nobody listens."""
    return f"http://127.0.0.1:{closed_port()}"


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path, request: pytest.FixtureRequest
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp(request.module.__name__.rpartition(".")[2]), empty_database)
    yield made
    made.close()


@pytest.fixture(scope="module")
def in_place(place: Place) -> Iterator[None]:
    """This process works in the place's folder, with its store, cache and journal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place.folder)
        for name in list(os.environ):
            if name.startswith(FOREIGN):
                patch.delenv(name)
        patch.setenv("MLFLOW_TRACKING_URI", place.uri)
        patch.setenv("NEWSCLF_CACHE_DIR", str(place.folder / "cache"))
        patch.setenv("NEWSCLF_JOURNAL_DIR", str(place.folder / "journal"))
        yield


@pytest.fixture(scope="module")
def in_process(in_place: None) -> Callable[..., int]:
    """`in_process("train", epochs=1)`: an entry point's exit code, without the imports of a new process."""
    return call


@pytest.fixture(scope="session")
def needs_programs() -> Callable[..., None]:
    """`needs_programs("caddy")` skips where a program is not installed; where all must be, as in CI, it fails."""

    def check(*names: str) -> None:
        if lacking := missing(names):
            reason = f"not installed: {', '.join(lacking)}; see .ci/run"
            if os.environ.get("NEWSCLF_TEST_STACK") == "required":
                pytest.fail(reason)
            pytest.skip(reason)

    return check


@pytest.fixture(scope="session")
def stack(
    needs_programs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NativeStack | DeployedStack]:
    """The stack of infra/, run natively; all tests share it, so each leaves every service running and answering.

    With NEWSCLF_TEST_STACK=compose, the one that `make stack` has started with Docker.
    """
    if DEPLOYED:
        yield DeployedStack()
        return
    needs_programs(*PROGRAMS)
    with native_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def strict(native_only: None, stack: NativeStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    """A second server on the stores of the stack, where a new user may do nothing."""
    with strict_server(tmp_path_factory.mktemp("strict") / "mlflow", stack) as running:
        yield running


@pytest.fixture(scope="session")
def native_only() -> None:
    """For tests that reach behind the proxy: to processes, files and stores, which containers keep to themselves."""
    if DEPLOYED:
        pytest.skip("needs the native stack")


@pytest.fixture
def on_stack(stack: NativeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """This process is a client of the stack, logged in as its administrator."""
    forget_tracking_uri()  # what an earlier test has set would count for more than the environment
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(tmp_path / "journal"))
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")  # through the proxy, not past it
    yield MlflowClient(stack.uri)
    forget_tracking_uri()


@pytest.fixture(scope="session")
def run_on_stack(
    stack: NativeStack, tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> Iterator[Callable[..., str]]:
    """`run_on_stack("train", epochs=1)`: an entry point as a client of the stack; the id of its run."""
    place = Place(tmp_path_factory.mktemp("client"), empty_database)

    def run(verb: str, **options: object) -> str:
        folder = Path(str(options.setdefault("output_dir", place.folder / f"out-{len(place.processes)}")))
        done = place.run(*place.entry_point(verb, options), cwd=None, timeout=240, **stack.environment())
        assert done.returncode == 0, done.stderr
        return str(json.loads((folder / "result.json").read_text())["run_id"])

    yield run
    place.close()


@pytest.fixture(scope="session")
def trained_on_stack(run_on_stack: Callable[..., str], tiny_encoder: Path) -> str:
    """The id of a train run on the stack: two epochs of the head alone; its model is newsclf's challenger."""
    head = {"encoder": tiny_encoder, "trainable_layers": 0, "num_samples": 120, "epochs": 2}
    return run_on_stack("train", register="newsclf", **head)


@pytest.fixture(scope="session")
def evaluated_on_stack(run_on_stack: Callable[..., str], trained_on_stack: str) -> str:
    """The id of an evaluate run of that model, from the registry."""
    return run_on_stack("evaluate", model="models:/newsclf@challenger")


@pytest.fixture(scope="session")
def profiled_on_stack(run_on_stack: Callable[..., str], trained_on_stack: str) -> str:
    """The id of a profile run against the reference of the train run."""
    return run_on_stack("profile", dataset="sample", reference=f"runs:/{trained_on_stack}")


@pytest.fixture(scope="session")
def public_data() -> Path | None:
    """The folder with the public data sets, where there is one; they are no part of the project."""
    folder = Path(os.environ.get("NEWSCLF_TEST_DATA") or ROOT.parent / "shared" / "data")
    return folder if (folder / "ag_news" / "train.csv").is_file() else None


@pytest.fixture(scope="session")
def real_data(public_data: Path | None) -> Path:
    if public_data is None:
        pytest.skip("no public data beside the project; NEWSCLF_TEST_DATA names the folder")
    return public_data
