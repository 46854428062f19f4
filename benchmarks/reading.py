"""profile and monitor with a trained model as reference: seconds of the commands, and of an earlier commit's.

The earlier commit is checked out beside this one for as long as it takes, trains the model, and each command is run
with either code in turn, on the same rows.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.tables import medians_in_turn, show
from newsclf.config import DataOptions
from newsclf.data.loader import open_stream

ROOT = Path(__file__).resolve().parent.parent
ROWS, BATCHES = 1000, 5
TRAIN = {"num_samples": 4000, "trainable_layers": 0, "epochs": 5}


class Codes:
    """Commands of either code in a folder with runs of its own."""

    def __init__(self, folder: Path, data_dir: str) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'runs.db'}",
            "NEWSCLF_CACHE_DIR": str(folder / "cache"),
            "NEWSCLF_DATA_DIR": str(Path(data_dir).resolve()),
        }

    def run(self, code: Path, verb: str, **options: object) -> tuple[float, dict[str, object]]:
        """(seconds of the command, its result.json)."""
        with tempfile.TemporaryDirectory(dir=self.folder) as output:
            arguments = [f"--{name}={value}" for name, value in {**options, "output_dir": output}.items()]
            command = [sys.executable, "-m", f"entrypoints.{verb}", *arguments]
            began = time.perf_counter()
            subprocess.run(command, cwd=code, env=self.environment, check=True, capture_output=True)
            taken = time.perf_counter() - began
            return taken, json.loads(next(Path(output).rglob("result.json")).read_text())


def main(data_dir: str, repeats: int, commit: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = next(open_stream(DataOptions(dataset="ag_news", data_dir=data_dir), "test").chunks(ROWS * BATCHES))
        batches = [rows.iloc[start : start + ROWS] for start in range(0, len(rows), ROWS)]
        stream, table = folder / "stream", folder / "stream" / "batch_1.parquet"
        stream.mkdir()
        for number, batch in enumerate(batches, 1):
            batch.to_parquet(stream / f"batch_{number}.parquet")
        codes = Codes(folder, data_dir)
        subprocess.run(["git", "worktree", "add", "-q", "--detach", folder / "code", commit], cwd=ROOT, check=True)
        try:
            earlier = {f"at {commit}": folder / "code", "now": ROOT}
            _, trained = codes.run(folder / "code", "train", dataset="ag_news", **TRAIN)
            reference = f"runs:/{trained['run_id']}"
            cases = {
                f"profile of {ROWS:,} rows": ("profile", {"dataset": table, "reference": reference}),
                f"monitor of {BATCHES} batches of {ROWS:,} rows": (
                    "monitor",
                    {"stream": stream, "reference": reference},
                ),
            }

            def seconds(code: Path, case: str) -> Callable[[], float]:
                verb, options = cases[case]
                return lambda: codes.run(code, verb, **options)[0]

            measures = {(case, name): seconds(code, case) for case in cases for name, code in earlier.items()}
            taken = medians_in_turn(measures, repeats)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder / "code"], cwd=ROOT, check=True)
    before, now = earlier
    table_rows = []
    for case in cases:
        old, new = taken[case, before], taken[case, now]
        table_rows.append([case, f"{old:.1f}", f"{new:.1f}", f"{old / new:.2f}"])
    title = f"A trained model as reference, {os.cpu_count()} cores, seconds of the whole command"
    show(title, ["command", before, now, "times"], table_rows)
