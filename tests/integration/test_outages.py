"""Whatever goes away in whatever moment, the server ends up with what an undisturbed run leaves on it."""

import hashlib
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModel, LoggedModelOutput, Run

from tests.stack.client import Client, run_named
from tests.stack.content import run_content

pytestmark = pytest.mark.integration

# Numbers and files of which two runs on the same machine have their own: times, memory, ids, paths.
VARYING = ("seconds/", "peak_", "train_tokens_per_second", "train_rows_per_second")
OWN_TAGS = {"newsclf.journal", "mlflow.runName", "newsclf.reference", "newsclf.working_folder"}
OWN_FILES = {"result.json", "config.yaml", "reference.json", "profile.bin", "MLmodel"}
HOW_IT_IS_SENT = {"tracking", "send_timeout"}
KILLS, SEED = 20, 20


@pytest.fixture(scope="module")
def options(tiny_encoder) -> dict[str, object]:
    return {
        "encoder": tiny_encoder,
        "num_samples": 60,
        "epochs": 6,
        "learning_rate": 0.003,
        "dropout": 0.3,
        "send_timeout": 240,
    }


@pytest.fixture
def user(stack, tmp_path) -> Client:
    return Client(tmp_path / "user", stack.environment())


@dataclass
class Twin:
    """The run that nothing has disturbed, and the seconds that it took to train and test."""

    run_id: str
    seconds: float
    kept: dict[str, Any] = field(default_factory=dict)

    def essence(self, client: MlflowClient) -> dict[str, Any]:
        """Read once: a hundred downloads take a while."""
        if not self.kept:
            self.kept = essence(client, self.run_id)
        return self.kept


@pytest.fixture(scope="module")
def twin(stack, options, tmp_path_factory) -> Twin:
    client = Client(tmp_path_factory.mktemp("twin"), stack.environment())
    process = client.start("train", **options)
    process.await_line("sample: ")
    began = time.monotonic()
    while client.journals()[0].run["status"] == "RUNNING":
        time.sleep(0.05)
    seconds = time.monotonic() - began
    assert process.wait() == 0, process.said
    assert client.journals() == []
    return Twin(process.run_id, seconds)


def essence(client: MlflowClient, run_id: str) -> dict[str, Any]:
    """What a run must have in common with its twin."""
    run = client.get_run(run_id)
    content = run_content(client, run)
    points = {
        name: [(step, None if name.startswith(VARYING) else value) for step, _, value in values]
        for name, values in content["metrics"].items()
    }
    models = [client.get_logged_model(output.model_id) for output in logged_models(run)]
    return {
        "status": content["info"][1],
        "parameters": {name: text for name, text in content["parameters"].items() if name not in HOW_IT_IS_SENT},
        "tags": {name: value for name, value in content["tags"].items() if name not in OWN_TAGS},
        "points": points,
        "inputs": content["inputs"],
        "files": alike(content["artifacts"]),
        "models": [(model.name, str(model.status), own_points(model, run_id)) for model in models],
        "model files": [alike(checksums(model.model_id)) for model in models],
    }


def logged_models(run: Run) -> list[LoggedModelOutput]:
    return run.outputs.model_outputs if run.outputs else []


def own_points(model: LoggedModel, run_id: str) -> int:
    """The model's metrics that its own run has logged; another that evaluates it adds its own."""
    return sum(metric.run_id == run_id for metric in model.metrics or [])


def alike(files: dict[str, str]) -> dict[str, str]:
    """The checksums, without those of files that hold times or ids: they have to be there."""
    return {name: "" if Path(name).name in OWN_FILES else checksum for name, checksum in files.items()}


def checksums(model_id: str) -> dict[str, str]:
    root = Path(download_artifacts(f"models:/{model_id}"))
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def assert_alike(client: MlflowClient, run_id: str, twin: Twin) -> None:
    found, expected = essence(client, run_id), twin.essence(client)
    for part, value in expected.items():
        assert found[part] == value, part
    assert logged_models(client.get_run(run_id))


@pytest.mark.parametrize("service", ["mlflow", "db", "s3"])
def test_a_service_that_goes_away_in_the_middle_and_comes_back(service, stack, on_stack, user, options, twin):
    process = user.start("train", **options)
    process.await_line("epoch 2/")
    stack.services[service].kill()
    process.await_line("epoch 5/")
    stack.services[service].start()
    assert process.wait() == 0, process.said
    assert user.journals() == [], process.said
    assert_alike(on_stack, process.run_id, twin)


@pytest.mark.parametrize("service", ["mlflow", "db", "s3"])
def test_a_service_that_goes_away_for_good_is_sent_the_rest_by_sync(service, stack, on_stack, user, options, twin):
    process = user.start("train", **options | {"send_timeout": 1})
    process.await_line("epoch 3/")
    stack.services[service].kill()
    assert process.wait() == 0, process.said
    assert "make sync sends them" in process.said
    code, said = user.run("sync")
    assert (code, "1 left in" in said) == (1, True), said
    stack.services[service].start()
    assert user.run("sync")[0] == 0
    assert user.journals() == []
    assert_alike(on_stack, process.run_id, twin)


def test_a_server_that_is_away_at_the_start(stack, on_stack, user, options, twin):
    stack.services["mlflow"].stop()
    process = user.start("train", **options)
    process.await_line("warning: tracking server")
    process.await_line("epoch 1/")
    stack.services["mlflow"].start()
    assert process.wait() == 0, process.said
    assert user.journals() == []
    assert f"{stack.uri}/#/experiments/0/runs/{run_named(on_stack, process.run_id)}" in process.said
    assert_alike(on_stack, run_named(on_stack, process.run_id), twin)


def test_offline_runs_are_used_at_once_and_sent_by_the_next_run(stack, on_stack, user, options, twin):
    trained = user.start("train", **options, tracking="offline")
    assert trained.wait() == 0, trained.said
    assert [journal.id for journal in user.journals()] == [trained.run_id]
    evaluated = user.start("evaluate", model=f"runs:/{trained.run_id}/model", bootstrap_samples=100, send_timeout=240)
    assert evaluated.wait() == 0, evaluated.said
    assert user.journals() == []  # the run that could be sent has sent the other one, too
    run_id = run_named(on_stack, trained.run_id)
    assert_alike(on_stack, run_id, twin)
    measured = on_stack.get_run(evaluated.run_id)
    assert measured.data.metrics["accuracy"] == on_stack.get_run(run_id).data.metrics["test_accuracy"]
    again = user.start("evaluate", model=f"runs:/{trained.run_id}/model", bootstrap_samples=100, send_timeout=240)
    assert again.wait() == 0, again.said
    assert on_stack.get_run(again.run_id).data.tags["newsclf.model"] == f"runs:/{run_id}/model"


@pytest.mark.parametrize("number", range(4))
def test_a_training_that_is_killed_again_and_again(number, stack, on_stack, user, options, twin):
    moments = random.Random(SEED + number)
    process = user.start("train", **options)
    process.await_line("sample: ")
    run_id = user.journals()[0].run["run_uuid"]
    kills = 0
    while kills < KILLS // 4:
        try:
            process.wait(moments.uniform(0, twin.seconds / 3))  # so that the last kills find it at its end
            break
        except TimeoutError:
            process.kill()
            kills += 1
        if user.journals()[0].run["status"] == "FINISHED":  # killed while it was sent
            break
        if moments.random() < 0.3:
            code, said = user.run("sync")
            assert code == 0, said
            assert on_stack.get_run(run_id).info.status == "FAILED"
            assert f"resume={run_id}" in on_stack.get_run(run_id).data.tags["newsclf.failure"]
        process = user.start("train", resume=run_id)
        process.await_line("sample: ")
    process.wait()
    assert kills > 2
    code, said = user.run("sync")
    assert code == 0, said
    assert user.journals() == []
    assert_alike(on_stack, run_id, twin)
    code, said = user.run("train", resume=run_id)
    assert (code, "has ended well" in said) == (2, True), said


def test_a_sync_that_is_killed_again_and_again(stack, on_stack, user, options, twin):
    trained = user.start("train", **options, tracking="offline")
    assert trained.wait() == 0, trained.said
    moments = random.Random(SEED)
    for _ in range(6):
        process = user.start("sync")
        with_time = moments.uniform(0.1, 1.5)
        try:
            process.wait(with_time)
        except TimeoutError:
            process.kill()
    code, said = user.run("sync")
    assert code == 0, said
    assert user.journals() == []
    assert_alike(on_stack, run_named(on_stack, trained.run_id), twin)


def test_two_runs_and_a_sync_at_the_same_time(stack, on_stack, user, options, twin):
    left = user.start("train", **options, tracking="offline")
    assert left.wait() == 0, left.said
    both = [user.start("train", **options) for _ in range(2)]
    both[1].await_line("epoch 1/")
    code, said = user.run("sync")
    assert code == 0, said
    for process in both:
        assert process.wait() == 0, process.said
        assert_alike(on_stack, process.run_id, twin)
    assert user.journals() == []
    run_named(on_stack, left.run_id)  # once, no more


def test_a_journal_on_a_full_disk(stack, on_stack, user, options, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "newsclf-test", str(disk)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        user.environment["NEWSCLF_JOURNAL_DIR"] = str(disk / "journal")
        process = user.start("train", **options, tracking="offline")
        process.await_line("epoch 1/")
        (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free))
        process.await_line("epoch 6/")  # training goes on
        assert process.wait() == 2
        assert "warning: metrics wait for room on the disk" in process.said
        assert process.said.splitlines()[-1].startswith("train: the disk is full (")
        assert "Traceback" not in process.said
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
