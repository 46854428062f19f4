"""What logging costs a training whose server is 50 ms away: straight to the server, and by way of the journal."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from unittest.mock import patch

from benchmarks.tables import show

LATENCY = 0.050  # seconds there and back
EPOCHS = 3


class Delay:
    """A TCP proxy on 127.0.0.1 that holds what passes back by half of LATENCY in each direction."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            ends = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.target))
            for ways in (ends, ends[::-1]):
                threading.Thread(target=_pass_on, args=ways, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 20):
            time.sleep(LATENCY / 2)
            target.sendall(data)
    for end in (source, target):  # one side has hung up: so does the other
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def far_server(folder: Path) -> Iterator[str]:
    """The URL of an `mlflow server` behind the delay."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            if server.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.2)
        yield f"http://127.0.0.1:{Delay(port).port}"
    finally:
        server.terminate()
        server.wait()


def run(direct: bool) -> dict[str, float]:
    """Seconds that three epochs on the packaged sample take, and of those the ones in calls of the logger."""
    from newsclf.config import TrainConfig
    from newsclf.data import load
    from newsclf.model.datamodule import NewsDataModule
    from newsclf.model.tokenizer import Tokenizer
    from newsclf.model.training import fit, seed_everything
    from newsclf.model.weights import find
    from newsclf.tracking import run as tracking
    from newsclf.tracking.lightning_logger import RunLogger
    from newsclf.verbs.train import make_classifier, model_inputs, resolve_auto

    config = resolve_auto(TrainConfig(epochs=EPOCHS))
    assert config.learning_rate is not None
    files, dataset = find(config.encoder), load(config)
    tokenizer = Tokenizer(files.folder, config.max_length)
    seed_everything(config.seed)
    classifier = make_classifier(config, files, dataset.classes, tokenizer)
    inputs, _ = model_inputs(config, dataset, files, tokenizer, classifier, bf16=False)
    logging = 0.0

    class Timed(RunLogger):
        def save(self) -> None:
            nonlocal logging
            began = time.perf_counter()
            super().save()
            logging += time.perf_counter() - began

    with contextlib.ExitStack() as stack:
        if direct:
            stack.enter_context(patch.object(tracking, "is_server", lambda uri: False))
        opened = stack.enter_context(tracking.open_run("train", config))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logger = Timed(opened)
        began = time.perf_counter()
        fit(
            classifier,
            NewsDataModule(config, inputs),
            config,
            learning_rate=config.learning_rate,
            bf16=False,
            logger=logger,
            folder=folder,
        )
        return {"training": time.perf_counter() - began, "logging": logging}


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with far_server(folder) as url:
            os.environ |= {"MLFLOW_TRACKING_URI": url, "NEWSCLF_JOURNAL_DIR": str(folder / "journal")}
            taken: dict[str, list[dict[str, float]]] = {"straight to the server": [], "by way of the journal": []}
            for _ in range(repeats):
                for name, runs in taken.items():
                    runs.append(run(direct=name.startswith("straight")))
    rows = []
    for name, runs in taken.items():
        training, logging = (median(one[part] for one in runs) for part in ("training", "logging"))
        rows.append([name, f"{training:.1f}", f"{logging:.3f}", f"{logging / training:.2%}"])
    title = f"{EPOCHS} epochs of the sample, server {LATENCY * 1000:.0f} ms away"
    show(title, ["way", "training, s", "of it in logging, s", "share"], rows)
