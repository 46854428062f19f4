"""infra/backup.sh while runs are written, then infra/restore.sh into an empty stack: everything is equal."""

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.server.auth.client import AuthServiceClient

from tests.stack import PROGRAMS, NativeStack, native_stack
from tests.stack.compose import INFRA
from tests.stack.content import content, users

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]


def script(name: str, stack: NativeStack, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(INFRA / name), *map(str, arguments)],
        env=os.environ | stack.stores(),
        capture_output=True,
        text=True,
        timeout=300,
    )


def fill(client: MlflowClient, folder: Path) -> None:
    """A run with long histories and odd names, one that is deleted, one that still runs; a model; two users."""
    draw = random.Random(0)
    experiment = client.create_experiment("kept \N{NEWSPAPER} safe", tags={"team": "news"})
    run = client.create_run(experiment, tags={"note": "a 'quoted' \\ tag\nof two lines"}).info.run_id
    client.log_batch(run, [Metric("loss", draw.random(), 10**12 + step, step) for step in range(1000)])
    client.log_batch(run, [Metric("odd", value, 10**12, 0) for value in (1e-300, float("inf"), -0.0)])
    client.log_param(run, "text", "x" * 6000)
    (folder / "big.bin").write_bytes(draw.randbytes(20 * 2**20))  # more than one part of an upload
    (folder / "ünï cödé +&%.txt").write_text("\N{NEWSPAPER}")
    (folder / "empty.txt").touch()
    client.log_artifacts(run, str(folder), "deep/er")
    client.set_terminated(run)
    client.delete_run(client.create_run(experiment).info.run_id)
    client.create_run(experiment, run_name="still running")
    client.create_registered_model("backed-up", {"task": "news"}, "A description.")
    client.create_model_version("backed-up", f"mlflow-artifacts:/{experiment}/{run}/artifacts/deep", run)
    client.set_registered_model_alias("backed-up", "champion", "1")
    login = AuthServiceClient(client.tracking_uri)
    login.create_user("editor", "password-of-the-editor")
    login.grant_user_permission("editor", "experiment", experiment, "EDIT")
    login.create_user("second-admin", "password-of-another")
    login.update_user_admin("second-admin", True)


def write_runs(client: MlflowClient, folder: Path, enough: threading.Event) -> None:
    """Runs of one artifact and one metric each, in the order in which train writes them, one after the other."""
    while not enough.wait(0.3):
        run = client.create_run("0", tags={"written": "during the backup"}).info.run_id
        client.log_artifact(run, str(folder / "note.txt"))
        client.log_metric(run, "done", 1.0)
        client.set_terminated(run)


@pytest.fixture(scope="module")
def stack(native_only, needs_programs, tmp_path_factory) -> Iterator[NativeStack]:
    """One of its own: what other tests leave on theirs would be copied again and again."""
    needs_programs(*PROGRAMS)
    with native_stack(tmp_path_factory.mktemp("source")) as running:
        yield running


@pytest.fixture
def backed_up(stack, on_stack, tmp_path) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """The backup's folder, and the content and users that were there when it began."""
    (tmp_path / "files").mkdir()
    fill(on_stack, tmp_path / "files")
    before = content(on_stack), users(stack.uri, stack.ca, stack.admin)
    (tmp_path / "note.txt").write_text("written during the backup")
    enough = threading.Event()
    writer = threading.Thread(target=write_runs, args=(on_stack, tmp_path, enough))
    writer.start()
    try:
        made = script("backup.sh", stack, tmp_path / "backups")
    finally:
        enough.set()
        writer.join()
    assert made.returncode == 0, made.stderr
    assert made.stdout == f"{next((tmp_path / 'backups').iterdir())}\n"
    assert len(on_stack.search_runs(["0"], "tags.written LIKE '%'")) > 0, "nothing was written meanwhile"
    return Path(made.stdout.strip()), *before


@pytest.fixture
def empty(tmp_path_factory) -> Iterator[NativeStack]:
    """A second stack, with its stores running and empty, and its server not started yet."""
    made = NativeStack(tmp_path_factory.mktemp("empty"))
    try:
        made.start()
        made.mlflow.stop()
        yield made
    finally:
        made.stop()


def test_what_is_restored_is_what_there_was(stack, backed_up, empty, on_stack, monkeypatch, tmp_path):
    backup, before, people = backed_up
    damaged = tmp_path / "damaged"
    shutil.copytree(backup, damaged)
    with (damaged / "bucket.tar").open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff")
    refused = script("restore.sh", empty, damaged)
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (2, True)

    done = script("restore.sh", empty, backup)
    assert done.returncode == 0, done.stderr
    empty.mlflow.start()
    for name, value in empty.environment(*stack.admin).items():  # the logins are those of the backup
        monkeypatch.setenv(name, value)
    restored = MlflowClient(empty.uri)
    after = content(restored)
    assert users(empty.uri, empty.ca, stack.admin) == people
    assert users(empty.uri, empty.ca, ("second-admin", "password-of-another")) == people
    # What was written during the backup is there or not, but no run is finished and has lost its artifact.
    written = {run_id: run for run_id, run in after["runs"].items() if "written" in run["tags"]}
    assert after | {"runs": {run_id: run for run_id, run in after["runs"].items() if run_id not in written}} == before
    assert all(run["artifacts"] for run in written.values() if run["metrics"])

    again = script("restore.sh", empty, backup)
    assert (again.returncode, "not empty" in again.stderr) == (2, True)
    restored.log_text(restored.create_run("0").info.run_id, "written after the restore", "late.txt")
    empty.mlflow.stop()
    forced = script("restore.sh", empty, backup, "--force")
    assert forced.returncode == 0, forced.stderr
    empty.mlflow.start()
    assert content(MlflowClient(empty.uri)) == after
