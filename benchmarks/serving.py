"""Rows a second of served models under load: newsclf with and without profiles of requests, and mlflow.transformers.

All three are `mlflow models serve` with one worker, with the packaged encoder; the load comes from ApacheBench.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.tables import medians_in_turn, show
from newsclf.model.device import choose, has_bf16

ROOT = Path(__file__).resolve().parent.parent
LOADS = {"1 row, 8 clients": (1, 8, 400), "64 rows, 2 clients": (64, 2, 24)}  # rows a request, clients, requests
IN_BF16 = {"1 row, 8 clients": 2.0, "64 rows, 2 clients": 4.0}  # times mlflow.transformers, where we compute in it
OURS, PROFILED, PLAIN = "newsclf", "newsclf, requests profiled", "mlflow.transformers"
TEXT = (
    "Shares of the airline fell by eleven percent on Tuesday after it told investors that the price of fuel would cost "
    "it another 90 million dollars this year, and that two of its routes to Asia will close before the summer."
)


def train(folder: Path) -> Path:
    """The folder of a model trained on the packaged sample."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'runs.db'}"}
    options = ["--trainable_layers", "0", "--epochs", "1", "--output_dir", str(folder / "output")]
    subprocess.run(
        [sys.executable, "-m", "entrypoints.train", *options],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    run_id = json.loads((folder / "output" / "result.json").read_text())["run_id"]
    fetch = (
        f"import mlflow; mlflow.artifacts.download_artifacts('runs:/{run_id}/model', dst_path={str(folder / 'ours')!r})"
    )
    (folder / "ours").mkdir()
    subprocess.run([sys.executable, "-c", fetch], env=environment, check=True, stderr=subprocess.DEVNULL)
    return folder / "ours" / "model"


def plain(folder: Path) -> Path:
    """The same encoder with a head of Hugging Face's, as mlflow.transformers serves it."""
    import mlflow
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    from newsclf.model.weights import find

    encoder = find("minilm").folder
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    mlflow.transformers.save_model(
        pipeline("text-classification", model=model, tokenizer=tokenizer),
        folder / "plain",
        pip_requirements=["torch", "transformers"],  # by itself MLflow asks for torchvision
    )
    return folder / "plain"


@contextlib.contextmanager
def served(model: Path, log: Path, **environment: str) -> Iterator[str]:
    """The URL of a server of the model, while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 180
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/ping", timeout=5):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{model} is not served:\n{log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()


def rows_a_second(url: str, rows: int, clients: int, requests: int, folder: Path) -> float:
    """Under so many clients at once. Raises SystemExit where a request was not answered with 200."""
    body = folder / f"{rows}.json"
    body.write_text(json.dumps({"inputs": [TEXT] * rows}))
    command = ["ab", "-q", "-s", "120", "-n", str(requests), "-c", str(clients), "-p", str(body)]
    done = subprocess.run(
        [*command, "-T", "application/json", f"{url}/invocations"], capture_output=True, text=True, check=True
    )
    if "Non-2xx" in done.stdout:
        raise SystemExit(done.stdout)
    speed = re.search(r"Requests per second:\s+([\d.]+)", done.stdout)
    assert speed
    return float(speed[1]) * rows


def main(repeats: int) -> None:
    if shutil.which("ab") is None:
        raise SystemExit("the benchmark of serving needs ApacheBench: apt install apache2-utils")
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as running:
        folder = Path(temporary)
        ours, theirs = train(folder), plain(folder)
        urls = {
            OURS: running.enter_context(served(ours, folder / "ours.log")),
            PROFILED: running.enter_context(
                served(ours, folder / "profiled.log", NEWSCLF_PROFILE_DIR=str(folder / "profiles"))
            ),
            PLAIN: running.enter_context(served(theirs, folder / "plain.log")),
        }
        lines = []
        for load, (rows, clients, requests) in LOADS.items():
            for url in urls.values():
                rows_a_second(url, rows, clients, requests // 4, folder)
            measures = {
                name: partial(rows_a_second, url, rows, clients, requests, folder) for name, url in urls.items()
            }
            found = medians_in_turn(measures, repeats)
            lines += [
                [load, name, f"{speed:.1f}", f"{speed / found[OURS]:.2f}", f"{speed / found[PLAIN]:.2f}"]
                for name, speed in found.items()
            ]
        targets = "profiles: at least 0.95 of newsclf without them"
        if has_bf16("cpu"):
            targets += "".join(
                f"; {load}: at least {times} times mlflow.transformers" for load, times in IN_BF16.items()
            )
        show(
            f"Serving, {choose('cpu').name} ({targets})",
            ("requests", "served by", "rows a second", "of newsclf", "of mlflow.transformers"),
            lines,
        )
