"""`python -m newsclf.tracking.status_guard RUN_ID STATUS`: keep a run KILLED or FINISHED after `mlflow run`'s say.

`mlflow run` marks every run whose process ends with an exit code other than 0 as FAILED, one that has ended as well:
it means to leave an ended run alone, but compares the status's name with numbers (MLflow 3.17,
`_maybe_set_run_terminated`). It does so after that process has ended, so this one outlives it for some seconds.
"""

import subprocess
import sys
import time
from pathlib import Path

from mlflow import MlflowClient

from newsclf.tracking.server import tracking_uri

SECONDS = 30


def keep_status(run_id: str, status: str) -> None:
    """Start this module in a session of its own, where a second Ctrl-C does not reach it."""
    subprocess.Popen(
        [sys.executable, "-m", "newsclf.tracking.status_guard", run_id, status],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(run_id: str, status: str) -> None:
    client, end = MlflowClient(tracking_uri()), time.monotonic() + SECONDS
    while time.monotonic() < end:
        if client.get_run(run_id).info.status != status:
            client.set_terminated(run_id, status)
            return
        time.sleep(0.2)


if __name__ == "__main__":
    main(*sys.argv[1:])
