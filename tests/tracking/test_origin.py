"""Relative paths of an earlier run are meant from the folder where it was begun.

Who reads them later: `resume` (test_resume.py), `reproduce` (the door: tests/integration/test_reproduce.py), and
`retrain` with the champion's options (artifacts/test_trained_model.py). Children of runs begin where their parent is
(children/test_runs.py), and so their own children do.
"""

from pathlib import Path

import pytest
from mlflow.entities import Run, RunData, RunInfo, RunTag

from newsclf.config import MonitorConfig, ProfileConfig, TrainConfig
from newsclf.data.tables.table_files import table_files
from newsclf.tracking.origin import FOLDER_TAG, absolute_paths
from newsclf.tracking.run import open_run
from newsclf.tracking.server import PROJECT
from tests.tracking.conftest import Opened


def begun_in(folder: Path | None) -> Run:
    tags = [RunTag(FOLDER_TAG, str(folder))] if folder else []
    return Run(RunInfo("0" * 32, "0", "me", "FINISHED", 0, 1, "active"), RunData(tags=tags))


@pytest.mark.parametrize("name", ["begun", "it's [be]gun*"])
def test_what_is_there_becomes_absolute(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    for file in ("rows.csv", "parts/1.csv", "enc/config.json", "sample/1.csv", "org/bert/config.json", "all/1.csv"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    run = begun_in(folder)
    for value, meant in {
        "rows.csv": folder / "rows.csv",
        "./rows.csv": folder / "rows.csv",
        "../rows.csv": None,
        "parts": folder / "parts",
        "parts/": folder / "parts",
        "sample": None,  # built-in, whatever lies there
        "gone.csv": None,
        "gone/*.csv": None,
        "s3://bucket/rows.csv": None,
        str(folder / "rows.csv"): None,
        "": None,
    }.items():
        found = absolute_paths(run, TrainConfig, {"dataset": value, "test_dataset": value})
        assert found == ({"dataset": str(meant), "test_dataset": str(meant)} if meant else {}), value
    assert absolute_paths(run, TrainConfig, {"encoder": "enc"}) == {"encoder": str(folder / "enc")}
    assert absolute_paths(run, TrainConfig, {"encoder": "org/bert"}) == {"encoder": str(folder / "org/bert")}
    assert absolute_paths(run, TrainConfig, {"encoder": "org/other", "cache_dir": "all"}) == {
        "cache_dir": str(folder / "all")
    }
    assert absolute_paths(run, ProfileConfig, {"model": "runs:/1/model", "reference": "enc"}) == {
        "reference": str(folder / "enc")
    }
    (pattern,) = absolute_paths(run, MonitorConfig, {"stream": "par*/[0-9].csv", "batch": "day"}).values()
    assert [file.location for file in table_files(pattern).files] == [str(folder / "parts/1.csv")]


def test_a_run_that_does_not_say_was_in_the_projects_folder() -> None:
    found = absolute_paths(begun_in(None), TrainConfig, {"dataset": "configs", "encoder": "minilm"})
    assert found == {"dataset": str(PROJECT / "configs")}


def test_a_run_says_where_it_was_begun_and_goes_on_saying_so(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    with open_run("sweep", opened.config) as run:
        pass
    assert run.tags[FOLDER_TAG] == str(tmp_path / "first")
    monkeypatch.chdir(tmp_path / "second")
    with open_run("sweep", opened.config, resume=run.id) as again:
        pass
    assert (again.id, again.tags[FOLDER_TAG]) == (run.id, str(tmp_path / "first"))
