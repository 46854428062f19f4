"""What earlier versions wrote is read by this one: see tests/old_files/README.md."""

import csv
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from newsclf.drift import judge_profiles, load_reference
from newsclf.monitoring.profile_batches import profile_batches
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import key_numbers
from tests.doors import call, forget_tracking_uri
from tests.integration.conftest import FOREIGN, Place

pytestmark = pytest.mark.integration

ARCHIVES = sorted((Path(__file__).parents[1] / "old_files").glob("*.tar.xz"))
THERE = "/tmp/newsclf-old"  # where its files were made


class Old:
    """The unpacked files of a version, in `folder`; runs: ids by what they are."""

    def __init__(self, archive: Path, folder: Path) -> None:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        for path in [path for path in folder.rglob("*") if path.suffix in (".sql", ".json", ".yaml")]:
            path.write_text(path.read_text().replace(THERE, str(folder)))
        for path in folder.rglob("*.sql"):
            with closing(sqlite3.connect(path.with_suffix(""))) as database:
                database.executescript(path.read_text())
            path.unlink()
        self.folder, self.store = folder, f"sqlite:///{folder / 'mlflow.db'}"
        self.runs: dict[str, str] = self.json("runs.json")
        self.texts: list[str] = self.json("texts.json")

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def run(self, name: str) -> Run:
        return MlflowClient(self.store).get_run(self.runs[name])


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, place: Place) -> Iterator[Old]:
    """Its files, and this process in its folder, with its store and its journal."""
    made = Old(request.param, place.folder / request.param.name.removesuffix(".tar.xz"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        for name in [name for name in place.environment if name.startswith(FOREIGN)]:
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", made.store)
        patch.setenv("NEWSCLF_CACHE_DIR", str(made.folder / "cache"))
        patch.setenv("NEWSCLF_JOURNAL_DIR", str(made.folder / "journal"))
        yield made
        forget_tracking_uri()


@pytest.fixture
def done(old: Old, tmp_path: Path) -> Callable[..., Run]:
    """Calls a verb; its run, which has ended well."""

    def run(verb: str, **options: object) -> Run:
        folder = Path(str(options.setdefault("output_dir", tmp_path / verb)))
        assert call(verb, **options) == 0
        result = json.loads((folder / "result.json").read_text())
        found = MlflowClient(old.store).get_run(result["run_id"])
        assert found.info.status == "FINISHED"
        return found

    return run


def predictions(model: str, texts: list[str], folder: Path, **environment: str) -> dict[str, list[Any]]:
    """What MLflow's own loader says in a process that knows of no newsclf but the model's."""
    code = (
        "import json, sys, mlflow; found = mlflow.pyfunc.load_model(sys.argv[1]).predict(json.loads(sys.argv[2])); "
        "import newsclf; print(json.dumps([newsclf.__file__, found.to_dict('list')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, model, json.dumps(texts)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    origin, found = json.loads(done.stdout.splitlines()[-1])
    assert "/code/newsclf/" in origin
    return dict(found)


def same(found: dict[str, list[Any]], said: dict[str, list[Any]]) -> bool:
    labels, said_labels = found.pop("label"), said.pop("label")
    return labels == said_labels and all(found[name] == pytest.approx(said[name], abs=1e-6) for name in said)


def test_there_is_an_archive() -> None:
    assert [path.name for path in ARCHIVES] == ["0.1.0.tar.xz"]


def test_mlflow_loads_the_model_with_the_code_in_it(old: Old, tmp_path: Path) -> None:
    (model,) = (old.folder / "mlruns" / "0" / "models").glob("*/artifacts")
    assert same(predictions(str(model), old.texts, tmp_path), old.json("predicted.json"))


def test_evaluate_measures_what_was_measured(old: Old, done: Callable[..., Run]) -> None:
    new = done("evaluate", model="models:/news@challenger", dataset=old.folder / "test.csv", split="all")
    before = {name: value for name, value in old.run("evaluate").data.metrics.items() if "seconds" not in name}
    assert before.keys() <= new.data.metrics.keys()
    for name in ("accuracy", "macro_f1", "log_loss", "expected_calibration_error", "accuracy_low", "accuracy_high"):
        assert new.data.metrics[name] == pytest.approx(before[name], abs=1e-6), name


def test_profile_takes_the_reference_of_a_run_and_says_the_same(old: Old, done: Callable[..., Run]) -> None:
    new = done("profile", dataset=old.folder / "test.csv", reference=old.runs["train"], output_dir="profiled")
    verdict, before = old.json("profiled/verdict.json"), old.json("profile/verdict.json")
    assert (verdict["drifted"], verdict["kind"], verdict["sentence"]) == tuple(
        before[name] for name in ("drifted", "kind", "sentence")
    )
    assert verdict["kinds"].keys() == before["kinds"].keys()
    for kind, evidence in before["kinds"].items():
        assert verdict["kinds"][kind]["p_value"] == pytest.approx(evidence["p_value"], rel=1e-3), kind
    assert new.data.tags["newsclf.drift"] == old.run("profile").data.tags["newsclf.drift"]


def test_profile_takes_a_run_of_profile(old: Old, done: Callable[..., Run]) -> None:
    new = done("profile", dataset=old.folder / "stream" / "2026-01-03.csv", reference=old.runs["profile"], min_rows=20)
    assert new.data.tags["newsclf.drift"] == "covariate"


def test_a_profile_is_read_and_compared(old: Old) -> None:
    stored = TextProfile.read(old.folder / "profile" / "profile.bin")
    logged = old.run("profile").data.metrics
    assert stored.rows == 52
    assert key_numbers(stored) == pytest.approx({name: logged[name] for name in key_numbers(stored)})
    trained = old.folder / "mlruns" / "0" / old.runs["train"] / "artifacts" / "profile" / "profile.bin"
    verdict = judge_profiles(stored, TextProfile.read(trained))
    assert (verdict.drifted, {"quality", "prior"} <= verdict.kinds.keys()) == (False, True)


def test_a_reference_in_a_folder_is_loaded_and_judges(old: Old) -> None:
    with (old.folder / "stream" / "2026-01-01.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
    reference = load_reference(old.folder / "reference")
    assert reference.judge(texts, labels, min_rows=20).drifted is False
    assert reference.judge([text[::-1] for text in texts], labels, min_rows=20).kind == "covariate"


def test_monitor_goes_on_where_it_stopped(
    old: Old, done: Callable[..., Run], capfd: pytest.CaptureFixture[str]
) -> None:
    (later,) = (old.folder / "later").iterdir()
    shutil.copy(later, old.folder / "stream")
    options = {"reference": old.runs["train"], "config": "monitors.yaml", "output_dir": old.folder / "monitor"}
    done("monitor", stream=old.folder / "stream", **options)
    assert "1 batches judged, 3 known before" in capfd.readouterr().out
    with (old.folder / "monitor" / "batches.csv").open(newline="") as file:
        drifted = {row["name"]: float(row["drifted"]) for row in csv.DictReader(file)}
    assert drifted == {f"2026-01-0{day}.csv": float(day == 3) for day in range(1, 5)}


def test_the_profiles_of_a_served_model_are_batches(old: Old) -> None:
    reference = old.run("train").data.tags["newsclf.reference"]
    (batch,) = profile_batches(str(old.folder / "served"), reference, now=datetime(2100, 1, 1, tzinfo=UTC))
    assert batch.profile.rows == len(old.texts)


def test_compare_reads_the_runs(old: Old, done: Callable[..., Run], capfd: pytest.CaptureFixture[str]) -> None:
    done("compare", runs=f"{old.runs['train']},{old.runs['evaluate']}", bootstrap_samples=100)
    printed = capfd.readouterr().out
    accuracy = f"{old.run('evaluate').data.metrics['accuracy']:.4f} ("
    assert printed.count(accuracy) == 2, printed  # of both, by a name that differs from run to run


def test_a_sweep_goes_on(old: Old, done: Callable[..., Run]) -> None:
    with (old.folder / "sweep" / "table.csv").open(newline="") as file:
        before = {row["run_id"] for row in csv.DictReader(file)}
    done("sweep", config="sweep.yaml", trials=3, output_dir=old.folder / "sweep")
    with (old.folder / "sweep" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert before < {row["run_id"] for row in rows}
    assert len(rows) == len(before) + 1 == 3


def test_train_goes_on_with_a_run_that_was_killed(old: Old, done: Callable[..., Run]) -> None:
    client = MlflowClient(old.store)
    before = client.get_metric_history(old.runs["killed"], "val_loss")
    new = done("train", resume=old.runs["killed"], output_dir=old.folder / "killed")
    assert new.info.run_id == old.runs["killed"]
    after = client.get_metric_history(new.info.run_id, "val_loss")
    assert [point.value for point in after[: len(before)]] == [point.value for point in before]
    assert len({point.step for point in after}) == len(after) == int(new.data.metrics["epochs_run"]) == 40


@pytest.fixture(scope="module")
def server(place: Place) -> str:
    """A fresh MLflow server with nothing on it."""
    folder = place.folder / "server"
    folder.mkdir()
    stores = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts")
    artifacts = ("--artifacts-destination", folder / "artifacts")
    return place.serve("mlflow", "server", *stores, *artifacts, ready="/health", MLFLOW_TRACKING_URI=None)


def paths(client: MlflowClient, run_id: str, folder: str = "") -> set[str]:
    found: set[str] = set()
    for entry in client.list_artifacts(run_id, folder):
        found |= paths(client, run_id, entry.path) if entry.is_dir else {entry.path}
    return found


def digests(run: Run) -> list[str]:
    return [entry.dataset.digest for entry in run.inputs.dataset_inputs] if run.inputs else []


def test_sync_sends_the_journal_with_all_its_records(old: Old, server: str, tmp_path: Path) -> None:
    run_id = old.runs["unsent"]
    folder = next(path for path in (old.folder / "journal").iterdir() if path.name == run_id)
    journal, files = MlflowClient(f"sqlite:///{folder / 'store.db'}"), folder / "artifacts"
    written = journal.get_run(run_id)
    points = {name: journal.get_metric_history(run_id, name) for name in written.data.metrics}
    names = {path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()}
    assert "val_loss" in points
    assert "result.json" in names

    assert call("sync", server=server) == 0
    client = MlflowClient(server)
    (sent,) = client.search_runs(["0"])
    assert (sent.info.status, sent.data.params) == ("FINISHED", written.data.params)
    assert sent.data.metrics == written.data.metrics
    for name, before in points.items():
        after = client.get_metric_history(sent.info.run_id, name)
        assert [(p.value, p.step, p.timestamp) for p in after] == [(p.value, p.step, p.timestamp) for p in before]
    assert (
        written.data.tags.items() - {("mlflow.runName", written.data.tags["mlflow.runName"])} <= sent.data.tags.items()
    )
    assert digests(sent) == digests(written) != []
    assert paths(client, sent.info.run_id) == names
    version = client.get_model_version_by_alias("news", "challenger")
    assert version.run_id == sent.info.run_id
    said = old.json("predicted.json")
    uri = f"models:/news/{version.version}"
    assert same(predictions(uri, old.texts, tmp_path, MLFLOW_TRACKING_URI=server), said)
    assert list((old.folder / "journal").glob(run_id)) == []
