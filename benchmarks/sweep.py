"""Ten runs around the study's best as one sweep, from an empty cache; then once more, killed in the middle.

Each sweep is a process of its own with runs, cache and folder of its own; the one that is killed begins with the
cache of the first, and is started again.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient

from benchmarks.tables import show

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "configs/sweeps/study_wide.yaml"
STUDY_BEST = 0.758  # accuracy of the study's best row, AG News
LIMIT_MINUTES, WANTED = 15, 0.88
OF_THE_CLOCK = ("seconds", "run_id", "failed_before")


class Sweep:
    """The study's sweep in a folder of its own."""

    def __init__(self, folder: Path, cache: Path, data_dir: Path) -> None:
        self.folder, self.uri = folder, f"sqlite:///{folder / 'runs.db'}"
        folder.mkdir()
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "MLFLOW_TRACKING_URI": self.uri,
            "NEWSCLF_CACHE_DIR": str(cache),
            "NEWSCLF_DATA_DIR": str(data_dir.resolve()),
        }

    def start(self) -> subprocess.Popen[bytes]:
        options = [f"--config={STUDY}", f"--output_dir={self.folder / 'sweep'}"]
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "entrypoints.sweep", *options]
            return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def finish(self) -> float:
        """Run it to its end; the seconds that took."""
        began = time.perf_counter()
        if self.start().wait():
            raise SystemExit(f"the sweep failed:\n{(self.folder / 'log').read_text()[-3000:]}")
        return time.perf_counter() - began

    def table(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "sweep" / "table.csv", dtype={"failure": str}, keep_default_na=False)

    def finished_runs(self) -> int:
        """Runs of train that have come to their end."""
        runs = MlflowClient(self.uri).search_runs(["0"], "attributes.status = 'FINISHED'", max_results=1000)
        return sum("newsclf.trial" in run.data.tags for run in runs)


def main(data_dir: Path, seed: int = 0) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch) / "cache"
        whole, killed = (Sweep(Path(scratch) / name, cache, data_dir) for name in ("whole", "killed"))
        seconds = whole.finish()
        table = whole.table()
        shown = table.drop(columns=["run_id", "failed_before", "failure"])
        lines = shown.astype(str).to_numpy().tolist()
        show("sweep: the study's ten runs, best first", [str(name) for name in shown], lines)
        best = float(table["avg_test_acc"].iloc[0])
        moment = random.Random(seed).uniform(10, float(table["seconds"].astype(float).sum()) / 2)
        process = killed.start()
        time.sleep(moment)
        process.kill()
        process.wait()
        killed.finish()
        again = killed.table()
        same = table.drop(columns=list(OF_THE_CLOCK)).equals(again.drop(columns=list(OF_THE_CLOCK)))
        rows = [
            ["minutes for all, cold cache", f"{seconds / 60:.1f}", f"<= {LIMIT_MINUTES}"],
            ["best accuracy", f"{best:.4f}", f">= {WANTED} (study: {STUDY_BEST})"],
            [f"table after kill -9 at {moment:.0f} s and a new start", "equal" if same else "DIFFERS", "equal"],
            ["finished runs of the killed sweep", str(killed.finished_runs()), str(len(table))],
        ]
        show("sweep: as a whole", ("what", "measured", "wanted"), rows)
