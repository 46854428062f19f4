"""Runs below a run: how they are made, found again, ended, and what a child said last. Processes are stand-ins."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from newsclf.config.arguments import WORKING_FOLDER
from newsclf.errors import InputError
from newsclf.tracking.children import runs
from newsclf.tracking.children.runs import (
    PARENT_TAG,
    Child,
    create_run,
    ensure_ended,
    given,
    nest,
    run_to_end,
    runs_tagged,
    start,
)
from newsclf.tracking.run import Run


def child(code: str, log: Path, run_id: str = "") -> Child:
    with log.open("wb") as file:
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, start_new_session=True)
    return Child(run_id, process, log)


def test_a_child_is_nested_and_found_by_its_tag(run: Run) -> None:
    made = create_run(run, "train", "trial 1", {"newsclf.sweep": "a"})
    create_run(run, "train", "trial 1", {"newsclf.sweep": "b"})
    (found,) = runs_tagged(run.experiment_id, "newsclf.sweep", "a")
    assert (found.info.run_id, found.info.run_name) == (made, "trial 1")
    assert (found.data.tags[PARENT_TAG], found.data.tags["newsclf.verb"]) == (run.id, "train")


def test_it_can_be_given_another_parent(run: Run, server: MlflowClient) -> None:
    made = str(server.create_run("0", tags={PARENT_TAG: "f" * 32}).info.run_id)
    nest(made, run)
    assert server.get_run(made).data.tags[PARENT_TAG] == run.id


def test_what_a_run_does_not_log_its_children_do_not_either(run: Run) -> None:
    assert given(run, {"epochs": 3}) == {"epochs": 3}
    run.config = dataclasses.replace(run.config, log_diff=False)
    assert given(run, {"epochs": 3}) == {"epochs": 3, "log_diff": "false"}


def test_a_relative_path_means_the_same_in_a_child(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *_, **how: kept.update(how))
    monkeypatch.chdir(tmp_path)
    start(run, "a" * 32, "train", {"dataset": "new.csv"}, tmp_path / "log")
    assert kept["env"][WORKING_FOLDER] == str(tmp_path)  # tests/test_cli.py has what becomes of it


def test_a_run_without_a_process_does_not_stay_running(server: MlflowClient) -> None:
    made = str(server.create_run("0").info.run_id)
    ended = ensure_ended(made, "KILLED", "stopped along with the sweep", trial="1")
    assert ended.info.status == server.get_run(made).info.status == "KILLED"
    assert ended.data.tags["newsclf.failure"] == "stopped along with the sweep"
    assert ended.data.tags["newsclf.trial"] == "1"


def test_a_run_that_has_ended_keeps_its_end(server: MlflowClient) -> None:
    made = str(server.create_run("0").info.run_id)
    server.set_terminated(made, "FINISHED")
    ended = ensure_ended(made, "KILLED", "stopped")
    assert (ended.info.status, "newsclf.failure" in ended.data.tags) == ("FINISHED", False)


def test_a_store_that_takes_no_run(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'file' / 'runs.db'}")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="takes no run for trial 1 .*: a run of this kind needs its server all the"):
        create_run(run, "train", "trial 1", {})


def test_the_last_line_that_says_something(tmp_path: Path) -> None:
    talker = child("print('one'); print('  two  '); print('\\n \\n')", tmp_path / "log")
    talker.wait()
    assert talker.ended()
    assert talker.last_line() == "two"
    silent = child("", tmp_path / "other")
    silent.wait()
    assert silent.last_line() == "it said nothing"


def test_it_is_asked_to_stop_by_closing_its_input(tmp_path: Path) -> None:
    waiting = child("import sys; sys.stdin.read(); print('asked')", tmp_path / "log")
    assert not waiting.ended()
    waiting.stop()
    waiting.wait()
    assert waiting.last_line() == "asked"


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("finish()", "FINISHED", ""),
        ("print('no such option')", "FAILED", "the training ended FAILED: it ended without a word: no such option; "),
    ],
)
def test_a_child_is_waited_for(
    run: Run, server: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: str, said: str
) -> None:
    def start(parent: Run, run_id: str, verb: str, options: object, log: Path, *, also_held: tuple[int, ...]) -> Child:
        if code == "finish()":
            server.set_terminated(run_id, "FINISHED")
            return child("", log, run_id)
        return child(code, log, run_id)

    monkeypatch.setattr(runs, "start", start)
    if said:
        with pytest.raises(InputError, match=said):
            run_to_end(run, "train", "the training", {}, tmp_path / "log", {"newsclf.kept": "1"})
    else:
        run_to_end(run, "train", "the training", {}, tmp_path / "log", {"newsclf.kept": "1"})
    (made,) = runs_tagged(run.experiment_id, "newsclf.kept", "1")
    assert made.info.status == status


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("sqlite:///runs.db", "sqlite:///{here}/runs.db"),
        ("sqlite:////data/runs.db", "sqlite:////data/runs.db"),
        ("sqlite:///a%20b/runs.db?timeout=5", "sqlite:///{here}/a b/runs.db?timeout=5"),
        ("https://host", "https://host"),
    ],
)
def test_a_childs_store_is_valid_in_any_folder(
    uri: str, absolute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert runs._absolute(uri) == absolute.format(here=tmp_path)
