"""Accuracy, seconds and peak memory of real `train` runs, each a process of its own in an empty folder.

The cache of frozen layers is empty at first and shared by the cases, so "warm" has to come behind its "cold".
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables import show

ROOT = Path(__file__).resolve().parent.parent
BEST_POSTS = str(ROOT / "configs/experiments/best_20newsgroups.yaml")


@dataclass(frozen=True)
class Case:
    """One train run and what the project promises of it; a target of 0 is none.

    by_name_only: so long that it is run when it is asked for alone.
    """

    name: str
    options: dict[str, str]
    seconds: float = 0
    accuracy: float = 0
    gib: float = 0
    module: str = "entrypoints.train"
    by_name_only: bool = False


def cases(data_dir: Path) -> list[Case]:
    news = {"dataset": "ag_news", "data_dir": str(data_dir), "num_samples": "20000"}
    head = {**news, "trainable_layers": "0", "epochs": "20"}
    posts = {"config": BEST_POSTS, "data_dir": str(data_dir)}
    every = {"dataset": "20newsgroups", "categories": "all", "data_dir": str(data_dir), "trainable_layers": "0"}
    every |= {"epochs": "20", "max_length": "256"}
    full = {"dataset": "ag_news", "data_dir": str(data_dir), "epochs": "1"}
    return [
        Case("sample", {}, seconds=90, accuracy=0.85),
        Case("AG News 20,000, 0 layers, 20 epochs, cold cache", head, seconds=360, accuracy=0.912),
        Case("AG News 20,000, 0 layers, 20 epochs, warm cache", head, seconds=60, accuracy=0.912),
        Case("AG News 20,000, top 2 layers, 3 epochs", {**news, "trainable_layers": "2"}, accuracy=0.92),
        Case("20 Newsgroups, all 20 groups, head alone, metadata kept", {**every, "remove": "none"}),
        Case("20 Newsgroups, all 20 groups, head alone, metadata removed", every),
        Case("20 Newsgroups, all layers, 4 epochs, metadata removed", posts, accuracy=0.81),
        Case("20 Newsgroups, all layers, 4 epochs, metadata kept", {**posts, "remove": "none"}, accuracy=0.915),
        Case("AG News all rows, all layers: memory, 64 steps (*)", full, gib=4, module="benchmarks.memory"),
        Case("AG News all rows, all layers: whole epoch", full, gib=4, by_name_only=True),
    ]


def measured(case: Case, scratch: Path) -> list[str]:
    """Run the case in a folder of its own; its line of the table. Raises CalledProcessError when it fails."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    options = {**case.options, "output_dir": str(folder / "output")}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "NEWSCLF_CACHE_DIR": str(scratch / "cache"),
    }
    began = time.perf_counter()
    with (folder / "log").open("w+") as log:
        command = [sys.executable, "-m", case.module, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        seconds = time.perf_counter() - began
        if done.returncode:
            log.seek(0)
            raise SystemExit(f"{case.name} failed:\n{log.read()[-3000:]}")
    metrics = json.loads((folder / "output" / "result.json").read_text())["metrics"]
    gib = metrics["peak_memory_bytes"] / 2**30
    accuracy = metrics["test_accuracy"]
    return [
        case.name,
        f"{seconds:.0f}" + (f" (<= {case.seconds:.0f})" if case.seconds else ""),
        "-" if case.module == "benchmarks.memory" else f"{accuracy:.4f}" + _at_least(case.accuracy),
        f"{metrics['encoder_accuracy']:.4f}" if "encoder_accuracy" in metrics else "the same",
        f"{metrics['baseline_accuracy']:.4f}" if "baseline_accuracy" in metrics else "-",
        f"{gib:.2f}" + (f" (<= {case.gib:g})" if case.gib else ""),
    ]


def _at_least(target: float) -> str:
    return f" (>= {target:g})" if target else ""


def help_seconds() -> float:
    """Seconds of `python -m entrypoints.train --help`."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "entrypoints.train", "--help"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(data_dir: Path, only: str) -> None:
    chosen = [case for case in cases(data_dir.resolve()) if only in case.name and (only or not case.by_name_only)]
    if not chosen:
        raise SystemExit(f"no case is named {only!r}: {', '.join(case.name for case in cases(data_dir))}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="newsclf-quality-") as scratch:
        for case in chosen:
            rows.append(measured(case, Path(scratch)))
            print(" | ".join(rows[-1]), flush=True)
    show(
        f"Train runs, each its own process, {os.cpu_count()} cores (targets in brackets)",
        ["case", "wall seconds", "test accuracy", "encoder alone", "linear baseline", "peak memory, GiB"],
        rows,
    )
    print(
        "\n(*) all rows are loaded and tokenised, and the test split is tested; "
        "trained are 60 batches of random rows and 4 of the longest"
    )
    print(f"\n`python -m entrypoints.train --help`: {help_seconds():.1f} s (< 2)")
