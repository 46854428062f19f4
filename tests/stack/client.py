"""A user of a tracking server in processes of its own, which can be killed at any moment."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from newsclf.tracking.journal.store import Journal

# What takes seconds to import is imported once: each process is forked from one that has it.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["newsclf.verbs.train", "newsclf.verbs.sync", "newsclf.tracking.journal.session", "mlflow.pyfunc"]
)
FOREIGN = ("MLFLOW_", "NEWSCLF_", "PYTHONPATH", "XDG_")
SECONDS = 240


class Client:
    """One folder: its journal, outputs and cache. environment: of the server, see `NativeStack.environment`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.journal = folder, folder / "journal"
        self.environment = {
            **environment,
            "NEWSCLF_JOURNAL_DIR": str(self.journal),
            "NEWSCLF_CACHE_DIR": str(folder / "cache"),
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        }
        self.started = 0

    def start(self, verb: str, **options: object) -> Process:
        return self.begin(partial(_door, verb, options), verb)

    def begin(self, work: Callable[[], int], name: str) -> Process:
        """A process that ends with the exit code that `work` returns."""
        self.started += 1
        log = self.folder / f"{self.started}_{name}.log"
        process = processes.Process(target=_run, args=(work, self.environment, self.folder, log))
        process.start()
        return Process(process, log)

    def run(self, verb: str, **options: object) -> tuple[int, str]:
        """(exit code, what was printed)."""
        process = self.start(verb, **options)
        return process.wait(), process.said

    def journals(self) -> list[Journal]:
        return [Journal(path.parent) for path in self.journal.glob("[!.]*/run.json")]


class Process:
    """A verb that was started. log: what it prints."""

    def __init__(self, process: Any, log: Path) -> None:
        self.process, self.log = process, log

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def await_line(self, start: str) -> None:
        """Until it has printed a line that begins with `start`."""
        end = time.monotonic() + SECONDS
        while not re.search(f"^{re.escape(start)}", self.said, re.MULTILINE):
            assert self.process.is_alive(), self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def wait(self, seconds: float = SECONDS) -> int:
        """Its exit code; -9 where it was killed. Raises TimeoutError."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            raise TimeoutError(self.said)
        return int(self.process.exitcode)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @property
    def run_id(self) -> str:
        match = re.search(r"^run +([0-9a-f]{32})$", self.said, re.MULTILINE)
        assert match, self.said
        return match[1]


def _door(verb: str, options: Mapping[str, object]) -> int:
    from tests.doors import call

    return call(verb, **options)


def _run(work: Callable[[], int], environment: Mapping[str, str], folder: Path, log: Path) -> None:
    with log.open("w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ |= environment
    os.chdir(folder)
    code = work()
    sys.stdout.flush()
    sys.exit(code)


def run_named(client: MlflowClient, journal_id: str) -> str:
    """The id on the server of a run that was opened without it."""
    (run,) = client.search_runs(["0"], f"tags.`newsclf.journal` = '{journal_id}'")
    return str(run.info.run_id)
