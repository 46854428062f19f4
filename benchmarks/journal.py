"""What logging costs a training whose server is 50 ms away: straight to the server, and by way of the journal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from benchmarks.tables import show

LATENCY = 0.050  # seconds there and back
EPOCHS = 3


class Delay:
    """A TCP proxy on 127.0.0.1 that holds all bytes back by half of LATENCY in each direction."""

    def __init__(self, port: int) -> None:
        self.target, self.loop = port, asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def send() -> None:
            while True:
                when, data = await queue.get()
                await asyncio.sleep(max(0.0, when - self.loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)
                await writer.drain()

        sending = asyncio.ensure_future(send())
        data = b"-"
        while data:
            data = await reader.read(65_536)
            queue.put_nowait((self.loop.time() + LATENCY / 2, data))
        await sending


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


def run(folder: Path, direct: bool) -> dict[str, float]:
    """Seconds of a `train` on the packaged sample: of training, of that in calls of the logger, and in all."""
    from newsclf import train as recipe
    from newsclf.config import TrainConfig
    from newsclf.tracking import run as tracking
    from newsclf.tracking.lightning_logger import RunLogger

    spent = {"training": 0.0, "logging": 0.0}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*values, **named)
            finally:
                spent[name] += time.perf_counter() - began

        return call

    with contextlib.ExitStack() as patches:
        # `save` is called by `log_metrics` as well as by Lightning.
        patches.enter_context(patch.object(RunLogger, "save", timed("logging", RunLogger.save)))
        patches.enter_context(patch.object(recipe, "fit", timed("training", recipe.fit)))
        if direct:
            patches.enter_context(patch.object(tracking, "is_server", lambda uri: False))
        began = time.perf_counter()
        recipe.train(TrainConfig(epochs=EPOCHS, output_dir=str(folder / "out")))
        return spent | {"all": time.perf_counter() - began}


def main(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with far_server(folder) as url:
            os.environ |= {"MLFLOW_TRACKING_URI": url, "NEWSCLF_JOURNAL_DIR": str(folder / "journal")}
            run(folder, direct=False)  # caches, the journal's template
            taken: dict[str, list[dict[str, float]]] = {"straight to the server": [], "by way of the journal": []}
            for _ in range(repeats):
                for name, runs in taken.items():
                    runs.append(run(folder, direct=name.startswith("straight")))
    rows = []
    for name, runs in taken.items():
        training, logging, whole = (median(one[part] for one in runs) for part in ("training", "logging", "all"))
        rows.append([name, f"{training:.1f}", f"{logging:.3f}", f"{logging / training:.2%}", f"{whole:.1f}"])
    title = f"train, {EPOCHS} epochs of the sample, server {LATENCY * 1000:.0f} ms away"
    show(title, ["way", "training, s", "of it in logging, s", "share", "whole run, s"], rows)
