"""The table of a sweep: the best on top."""

from pathlib import Path

from newsclf.tuning.table import beside_published, frame, printed, trial_rows
from tests.tuning.trials import opened, work_off


def test_the_table_has_the_best_on_top_and_the_failed_at_the_end(tmp_path: Path) -> None:
    trials = opened(tmp_path, retries=0)
    work_off(trials, 2)
    claimed = trials.claim(run_id="abc")
    assert claimed is not None
    trials.fail(claimed.trial.number, "no such encoder")
    table = frame(trial_rows(trials.by_slot(), ["epochs"], lowest=False), ["epochs"], "val_acc")
    assert list(table["trial"]) == [2, 1, 3]
    assert list(table["epochs"]) == ["2", "1", "3"]
    assert list(frame(trial_rows(trials.by_slot(), ["epochs"], lowest=True), ["epochs"], "val_acc")["trial"]) == [
        1,
        2,
        3,
    ]
    lines = printed(table, "val_acc", ["epochs"]).splitlines()
    assert lines[0].split() == ["trial", "state", "val_acc", "epochs", "seconds", "run_id", "failure"]
    assert lines[3].split()[-3:] == ["no", "such", "encoder"]


def test_on_a_terminal_what_is_the_same_in_all_rows_is_left_out(tmp_path: Path) -> None:
    trials = opened(tmp_path, runs=[{"epochs": number, "encoder": "x" * 40} for number in (1, 2)])
    while claimed := trials.claim():
        trials.complete(claimed.trial.number, float(claimed.settings["epochs"]))
    names = ["epochs", "encoder"]
    table = frame(trial_rows(trials.by_slot(), names, lowest=False), names, "val_acc")
    assert list(table["encoder"]) == ["x" * 40] * 2
    head, best, *_ = printed(table, "val_acc", names).splitlines()
    assert head.split() == ["trial", "state", "val_acc", "epochs", "seconds", "run_id"]
    assert best.split()[:4] == ["2", "complete", "2.0000", "2"]
    alone = printed(table.head(1), "val_acc", names)
    assert "x" * 23 + "…" in alone


def test_what_was_published_of_a_run_stands_beside_ours(tmp_path: Path) -> None:
    trials = opened(tmp_path, runs=[{"epochs": number} for number in (1, 2, 3)])
    for run_id in ("one", "two"):
        claimed = trials.claim(run_id=run_id)
        assert claimed is not None
        trials.complete(claimed.trial.number, float(claimed.settings["epochs"]))
    found = trial_rows(trials.by_slot(), ["epochs"], lowest=False)
    logged = {"one": {"train_loss": 0.5}, "two": {"train_loss": 0.25, "val_loss": 1.0}}
    published = [{"val_acc": 0.7, "train_loss": 0.9, "duration": "2 h"}, {"val_acc": 0.8, "val_loss": "infinite"}, {}]
    table = beside_published(frame(found, ["epochs"], "val_acc"), published, lambda run_id: logged[run_id])
    assert list(table.columns)[:11] == [
        *("trial", "state", "epochs", "val_acc", "published val_acc", "train_loss", "published train_loss"),
        *("published duration", "val_loss", "published val_loss", "seconds"),
    ]
    assert table["published val_acc"].tolist() == [0.8, 0.7]  # the best of ours on top
    assert table["train_loss"].tolist() == [0.25, 0.5]
    assert table["published duration"].tolist() == ["", "2 h"]
    assert "infinite" in printed(table, "val_acc", ["epochs"])
    assert beside_published(table, (), lambda run_id: logged[run_id]) is table
