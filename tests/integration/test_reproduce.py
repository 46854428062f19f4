"""`reproduce`: a run of a real project in git, run once more in a worktree of its commit."""

import csv
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.integration

ONE_THREAD = {"OMP_NUM_THREADS": "1"}
SUBJECTS = {"Sports": "match", "World": "minister", "Business": "market"}
ROWS = "text,label\n" + "".join(
    f"the {word} of day {number},{label}\n" for number in range(40) for label, word in SUBJECTS.items()
)


def git(place, *words: str) -> str:
    who = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
    done = subprocess.run(["git", "-C", str(place.project), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def options(tiny_encoder) -> dict[str, object]:
    return {"encoder": tiny_encoder, "trainable_layers": 1, "epochs": 2, "num_samples": 60, "max_length": 32}


@pytest.fixture(scope="module")
def trained(place, options) -> str:
    """The id of a run that was made with an uncommitted change, which is undone and built upon since."""
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first")):
        git(place, *words)
    recipe = place.project / "newsclf" / "verbs" / "train.py"
    committed = recipe.read_text()
    # A change that shows in a metric and in no option.
    changed = committed.replace('"epochs_run": result.epochs,', '"epochs_run": result.epochs + 1000,')
    assert changed != committed
    recipe.write_text(changed)
    (place.project / "notes.txt").write_text("not code")
    work = place.folder / "work"  # its paths are meant from there; reproduce is called elsewhere
    shutil.copytree(options["encoder"], work / "enc")
    (work / "rows").mkdir()
    (work / "rows" / "1.csv").write_text(ROWS)
    given = {**options, "encoder": "./enc", "dataset": "rows/*.csv"}
    done = place.run(*place.entry_point("train", given), cwd=work, PYTHONPATH=str(place.project), **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    recipe.write_text(committed.replace('"epochs_run": result.epochs,', '"epochs_run": result.epochs + 7,'))
    git(place, "commit", "-q", "-a", "-m", "second")
    return place.runs()[0].info.run_id


def reproduce(place, run_id: str, **how):
    return place.run(*place.entry_point("reproduce", {"run_id": run_id}), timeout=400, **how)


def test_the_same_code_settings_and_data_give_the_same_bits(trained, place):
    done = place.mlflow_run("reproduce", {"run_id": trained}, timeout=400)
    assert done.returncode == 0, done.stderr
    last = next(line for line in done.stdout.splitlines() if line.startswith("REPRODUCED"))
    assert "files of weights are equal, bit for bit" in last
    again, ours = place.runs()[:2]
    assert ours.data.tags["newsclf.reproduced"] == "true"
    assert ours.data.metrics["points"] > 30
    assert again.data.tags["mlflow.parentRunId"] == ours.info.run_id
    assert again.data.tags["newsclf.reproduces"] == trained
    assert again.data.tags["mlflow.source.git.commit"] == git(place, "rev-parse", "HEAD~1")
    assert again.data.metrics["epochs_run"] == 1002
    assert len(git(place, "worktree", "list").splitlines()) == 1


def test_what_is_not_the_same_is_a_table_and_exit_code_4(trained, place):
    place.client().log_metric(trained, "val_loss", 0.25, step=10_000)
    place.client().set_tag(trained, "newsclf.device_name", "Another CPU, 1 threads")
    done = reproduce(place, trained)
    assert done.returncode == 4
    assert f"reproduce: run {trained} is not reproduced by" in done.stderr
    assert "likely cause: other hardware (Another CPU, now " in done.stderr
    assert "Traceback" not in done.stderr
    ours = next(run for run in place.runs() if run.data.tags["newsclf.verb"] == "reproduce")
    assert (ours.info.status, ours.data.tags["newsclf.reproduced"]) == ("FINISHED", "false")
    with (place.project / "outputs" / "reproduce" / ours.info.run_id / "differences.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["metric"], row["different"], row["step"], row["then"], row["now"]) == (
        "val_loss",
        "1",
        "10000",
        "0.25",
        "",
    )


def test_other_data_are_told_and_the_run_is_stopped(trained, place):
    client = place.client()
    wanted = client.get_run(trained).data.tags["newsclf.data_fingerprint"]
    client.set_tag(trained, "newsclf.data_fingerprint", "0" * 64)
    done = reproduce(place, trained)
    client.set_tag(trained, "newsclf.data_fingerprint", wanted)
    assert done.returncode == 2
    assert f"the data are not those of run {trained}: fingerprint {wanted[:16]}..., then 0000" in done.stderr
    assert "RUNNING" not in place.statuses()


@pytest.mark.parametrize(
    ("status", "tags", "message"),
    [
        ("RUNNING", {}, "is RUNNING: wait for its end"),
        ("KILLED", {}, "is KILLED: only what has come to its end"),
        ("FINISHED", {"newsclf.verb": "sweep"}, "is one of sweep, which cannot be run again by itself"),
        ("FINISHED", {"newsclf.verb": "train"}, "was made outside of a git checkout"),
        (
            "FINISHED",
            {"newsclf.verb": "train", "mlflow.source.git.commit": "1" * 40, "newsclf.git_dirty": "false"},
            "is not in the repository",
        ),
    ],
)
def test_a_run_that_cannot_be_run_again_is_bad_input(status, tags, message, trained, place):
    client = place.client()
    run_id = client.create_run("0", tags=tags).info.run_id
    if status != "RUNNING":
        client.set_terminated(run_id, status)
    done = reproduce(place, run_id)
    client.set_terminated(run_id)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("run_id", "message"), [("0" * 32, "is not in the tracking store"), ("best", "a run id has 32")]
)
def test_a_run_that_is_not_there_is_bad_input(run_id, message, trained, place):
    done = reproduce(place, run_id)
    assert done.returncode == 2
    assert message in done.stderr
