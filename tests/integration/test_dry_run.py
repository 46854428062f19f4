"""A dry run of every verb says what would be done and leaves nothing behind.

Kinds: with a tracking database and without one; data that would have to be downloaded; each of the three doors; what
the verb itself would refuse. What is left behind is looked for in every folder that the program knows.
"""

import re
from pathlib import Path

import pytest

from newsclf.verbs import VERBS

pytestmark = pytest.mark.integration


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder, but for Python's bytecode and what matplotlib and MLflow keep of a user."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns if path.is_file() else 0)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts and "home" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="module")
def ready(place, tiny_encoder):
    """A run of train with a registered champion, a table, a stream, and what each verb is then called with."""
    options = {"encoder": str(tiny_encoder), "epochs": 1, "register": "newsclf", "output_dir": "trained"}
    done = place.run(*place.entry_point("train", options))
    assert done.returncode == 0, done.stderr
    (run,) = place.runs()
    place.client().set_registered_model_alias("newsclf", "champion", "1")
    table = place.folder / "news.csv"
    table.write_text("text,label\n" + "".join(f"news number {n} of the day,a\n" for n in range(60)))
    stream = place.folder / "stream"
    stream.mkdir()
    for day in (1, 2):
        (stream / f"2026-01-0{day}.csv").write_text(table.read_text())
    model = f"runs:/{run.info.run_id}/model"
    calls = {
        "train": [f"encoder={tiny_encoder}", "epochs=2"],
        "evaluate": [f"model={model}", "baseline=models:/newsclf@champion"],
        "profile": [f"dataset={table}"],
        "monitor": [f"stream={stream}", "reference=sample"],
        "simulate": ["kind=sudden", "batches=4"],
        "compare": [f"runs={run.info.run_id}"],
        "promote": ["old_dataset=sample", "rollback=true"],
        "retrain": [f"stream={stream}"],
        "sync": [],
        "sweep": ["strategy=grid", "space={epochs: [1, 2], seed: [1, 2]}"],
        "reproduce": [f"run_id={run.info.run_id}"],
    }
    return place, calls


SAID = {
    "train": ["data    sample: 4 classes, 476 train, 68 validation, 136 test rows", "steps   30: 2 epochs of 15 steps"],
    "evaluate": ["sample: 136 test rows of 4 classes", "version 1"],
    "profile": ["60 rows"],
    "monitor": ["batch 2  2026-01-02  2026-01-02.csv  60 rows, 60 with a label", "2 batches, 120 rows"],
    "simulate": ["4 batches from 2026-01-01 on", "in batches 3 to 4"],
    "compare": ["1, which are compared in pairs"],
    "promote": ["version 1 of newsclf"],
    "retrain": ["2 batches, 120 rows", "version 1 of newsclf"],
    "sync": ["0 runs wait in"],
    "sweep": ["trial 4  epochs=2 seed=2", "trials  4"],
    "reproduce": ["made outside of a git checkout"],  # as a copy of the project is
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(ready, verb):
    place, calls = ready
    before = snapshot(place.folder)
    done = place.run("python", "-m", "newsclf", verb, "--dry-run", *calls[verb])
    assert snapshot(place.folder) == before
    assert len(place.runs()) == 1
    said = done.stderr if verb == "reproduce" else done.stdout
    assert [part for part in SAID[verb] if part not in said] == [], done.stdout + done.stderr
    assert done.returncode == (2 if verb == "reproduce" else 0)
    assert "Traceback" not in done.stderr
    if verb != "reproduce":
        assert done.stdout.splitlines()[-1] == "a dry run: nothing is done"


def test_train_estimates_its_time(ready):
    place, calls = ready
    done = place.run("python", "-m", "entrypoints.train", "--dry-run", *calls["train"])
    assert re.search(
        r"^time    about [\d.]+ (s|min) on this machine \(cpu, fp32\), from two steps: ", done.stdout, re.M
    )
    frozen = place.run("python", "-m", "newsclf", "train", "--dry-run", "trainable_layers=0", *calls["train"])
    assert "frozen layers" in frozen.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_a_dry_run_makes_no_database(ready, verb, tmp_path):
    place, calls = ready
    before = snapshot(place.folder)
    done = place.run(
        "python", "-m", "newsclf", verb, "--dry-run", *calls[verb], MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/no.db"
    )
    assert list(tmp_path.iterdir()) == []
    assert snapshot(place.folder) == before
    looks = verb in ("evaluate", "compare", "promote", "retrain", "reproduce")
    assert done.returncode == (2 if looks else 0), done.stderr
    assert ("no.db is not there yet, so it has no runs" in done.stderr) == looks


@pytest.mark.parametrize("dataset", ["ag_news", "20newsgroups"])
def test_what_would_be_downloaded_is_not(ready, dataset):
    place, calls = ready
    before = snapshot(place.folder)
    for verb in ("train", "evaluate", "profile", "simulate"):
        words = [*calls[verb][:1], f"dataset={dataset}", f"data_dir={place.folder / 'data'}"]
        words = words[1:] if verb == "profile" else words
        done = place.run("python", "-m", "newsclf", verb, "--dry-run", *words)
        assert done.returncode == 0, done.stderr
        assert "is not on this machine yet and would be fetched first" in done.stdout
    assert snapshot(place.folder) == before


def test_what_the_verb_would_refuse_is_refused(ready):
    place, _ = ready
    for words, said in {
        ("train", "dataset=none.csv"): "none.csv",
        ("train", "trainable_layers=99"): "option trainable_layers is 99",
        ("evaluate", "model=runs:/" + "0" * 32 + "/model"): "there is no such run",
        ("simulate", "kind=study", "amount=0.1"): "option amount does not go with kind study",
        ("sweep", "strategy=grid"): "option space is empty",
    }.items():
        done = place.run("python", "-m", "newsclf", words[0], "--dry-run", *words[1:])
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = place.run("python", "-m", "entrypoints.train", "--dry_run", "true")
    assert "write --dry-run there" in done.stderr
