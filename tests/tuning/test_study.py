"""A sweep's trials in a real SQLite file: nothing is run twice, and nothing is forgotten."""

import sqlite3
from pathlib import Path

import pytest
from optuna.trial import TrialState

from newsclf.tuning.table import trial_rows
from tests.tuning.trials import DRAWN, opened, work_off


def test_a_list_is_worked_off_in_order_and_then_there_is_nothing_left(tmp_path: Path) -> None:
    trials = opened(tmp_path)
    assert trials.unsettled() == 3
    assert work_off(trials, 2) == [{"epochs": "1"}, {"epochs": "2"}]
    assert trials.unsettled() == 1
    again = opened(tmp_path)
    assert work_off(again) == [{"epochs": "3"}]
    assert again.unsettled() == 0
    assert opened(tmp_path).claim() is None


def test_a_failure_is_tried_again_as_often_as_was_said_and_what_was_broken_off_always(tmp_path: Path) -> None:
    trials = opened(tmp_path, runs=[{"epochs": 7}], retries=1)
    for _ in range(3):
        claimed = trials.claim()
        assert claimed is not None
        assert claimed.settings == {"epochs": "7"}
        trials.break_off(claimed.trial.number)
    for _ in range(2):
        claimed = trials.claim()
        assert claimed is not None
        trials.fail(claimed.trial.number, "the disk is full")
    assert trials.claim() is None
    assert trials.unsettled() == 0
    (row,) = trial_rows(trials.by_slot(), ["epochs"], lowest=False)
    assert (row.state, row.failed_before, row.failure) == ("failed", 1, "the disk is full")
    more = opened(tmp_path, runs=[{"epochs": 7}], retries=2)
    assert more.claim() is not None


def test_what_is_drawn_does_not_hang_on_how_often_the_sweep_was_started(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("whole", "parts")]
    for folder in folders:
        folder.mkdir()
    whole = work_off(opened(folders[0], **DRAWN))
    parts = work_off(opened(folders[1], **DRAWN), 1)
    killed = opened(folders[1], **DRAWN)
    claimed = killed.claim()
    assert claimed is not None
    killed.break_off(claimed.trial.number)
    parts += work_off(opened(folders[1], **DRAWN), 2)
    parts += work_off(opened(folders[1], **DRAWN))
    assert parts == whole
    assert len({row["dropout"] for row in whole}) == 5


def test_more_trials_go_on_with_the_same_sweep(tmp_path: Path) -> None:
    first = work_off(opened(tmp_path, **DRAWN))
    more = work_off(opened(tmp_path, **DRAWN | {"trials": 7}))
    assert (len(first), len(more)) == (5, 2)


def test_two_machines_share_the_trials(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    claims = [trials.claim() for trials in (one, other, one, other)]
    assert [claimed and claimed.settings["epochs"] for claimed in claims] == ["1", "2", "3", None]


def test_a_slot_that_two_machines_have_put_in_the_queue_is_run_once(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    for trials in (one, other):
        trials.study.enqueue_trial({"epochs": "1"}, user_attrs={"slot": 0})
    assert [work_off(one), work_off(other)] == [[{"epochs": "1"}, {"epochs": "2"}, {"epochs": "3"}], []]


def test_a_machine_that_is_not_heard_of_any_more_gives_its_trial_back(tmp_path: Path) -> None:
    gone, here = opened(tmp_path), opened(tmp_path)
    assert gone.claim() is not None
    assert here.unsettled() == 3
    assert [row["epochs"] for row in work_off(here)] == ["2", "3"]
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
    assert here.unsettled() == 1
    assert [row["epochs"] for row in work_off(here)] == ["1"]


@pytest.mark.parametrize("watch", ["val_loss", "val_acc"])
def test_the_pruner_stops_what_is_worse_whichever_way_the_metric_goes(watch: str, tmp_path: Path) -> None:
    trials = opened(tmp_path, aim="val_acc", pruner="median", startup_trials=1, watch=watch)
    good, bad = (0.1, 0.9) if watch == "val_loss" else (0.9, 0.1)
    first = trials.claim()
    assert first is not None
    assert not trials.report(first, (good + bad) / 2, 1)
    trials.complete(first.trial.number, 0.5)
    second, third = trials.claim(), trials.claim()
    assert second is not None
    assert third is not None
    assert not trials.report(second, good, 1)
    assert trials.report(third, bad, 1)
    trials.prune(third.trial.number)
    assert third.trial.study.trials[third.trial.number].state == TrialState.PRUNED
    trials.break_off(second.trial.number)
    assert trials.unsettled() == 1


def test_importances_name_the_option_that_matters(tmp_path: Path) -> None:
    space = {"dropout": {"low": 0, "high": 0.5}, "weight_decay": {"low": 0, "high": 1}}
    trials = opened(tmp_path, strategy="random", runs=[], space=space, trials=15)
    while claimed := trials.claim():
        trials.complete(claimed.trial.number, float(claimed.settings["dropout"]))
    shares = trials.importances()
    assert shares["dropout"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)


def test_of_too_few_trials_nothing_is_said_about_importance(tmp_path: Path) -> None:
    trials = opened(tmp_path)
    work_off(trials)
    assert trials.importances() == {}
