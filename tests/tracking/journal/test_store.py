"""The journal: found by either id, written by one process at a time, whole or not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from newsclf.errors import InputError
from newsclf.tracking.journal import store as journals
from newsclf.tracking.journal.store import Journal, create, find, place_of, root, taken
from tests.tracking.conftest import Begin


def test_the_folder_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NEWSCLF_JOURNAL_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert root() == tmp_path / "newsclf" / "journal"


@pytest.mark.parametrize("name", ["a b", "a#b", "ä;é"])
def test_the_folder_may_be_called_what_it_likes(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    shutil.copytree(folder, folder / name)
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(folder / name))
    made = create("train", "")
    run_id = MlflowClient(made.uri).create_run("0").info.run_id
    MlflowClient(made.uri).log_text(run_id, "x", "x.txt")
    assert made.run["run_uuid"] == run_id
    assert (made.folder / run_id / "artifacts" / "x.txt").is_file()


@pytest.mark.parametrize("name", ["a%20b", "what?"])
def test_but_what_mlflow_would_misread(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(folder / name))
    with pytest.raises(InputError, match="MLflow misreads % and . in .*: set NEWSCLF_JOURNAL_DIR"):
        create("train", "")
    assert not (folder / name).exists()


def test_a_run_is_an_mlflow_run_with_the_ids_of_the_server(begin: Begin) -> None:
    made = begin("f" * 32)
    client = MlflowClient(made.uri)
    client.log_metric("f" * 32, "loss", 0.5, step=3)
    client.log_text("f" * 32, "hello", "notes/one.txt")
    run = client.get_run("f" * 32)
    assert (run.info.experiment_id, run.data.tags["newsclf.verb"], run.data.metrics) == ("7", "train", {"loss": 0.5})
    assert (made.folder / "artifacts" / "notes" / "one.txt").read_text() == "hello"
    (mode,) = made.rows("PRAGMA journal_mode")[0]
    assert mode == "wal"


def test_a_metric_may_be_linked_to_a_model_that_only_the_server_has(begin: Begin) -> None:
    made, model = begin(), "m-" + "a" * 32
    points = [Metric("accuracy", 0.5, 1, 0, model_id=model), Metric("loss", 0.1, 1, 0, model_id=model)]
    MlflowClient(made.uri).log_batch(made.id, points)
    linked = made.rows("SELECT metric_name, model_id FROM logged_model_metrics ORDER BY metric_name")
    assert [tuple(row) for row in linked] == [("accuracy", model), ("loss", model)]


def test_a_run_is_found_by_both_of_its_ids(begin: Begin) -> None:
    made = begin()
    made.sent.keep(run_id="a" * 32)
    for name in (made.id, "a" * 32):
        found = find(name)
        assert found is not None
        assert found.folder == made.folder
    assert find("b" * 32) is None


def test_the_oldest_comes_first_and_what_is_half_made_does_not_count(begin: Begin, folder: Path) -> None:
    first, second = begin(), begin()
    (folder / ".half.unfinished").mkdir()
    (folder / ".half.unfinished" / "run.json").write_text("{}")
    assert [one.id for one in journals.journals()] == [first.id, second.id]


def test_one_process_at_a_time_writes_it(begin: Begin, folder: Path) -> None:
    made = begin()
    other = Journal(made.folder)
    with taken(other) as held:
        assert not held
    made.release()
    with taken(other) as held:
        assert held
        assert not made.take()


def test_the_lock_goes_with_the_process(begin: Begin, folder: Path) -> None:
    made = begin()
    made.release()
    take = "import sys; from pathlib import Path; from newsclf.tracking.journal.store import Journal\n"
    take += "held = Journal(Path(sys.argv[1])); print(held.take(), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", take, str(made.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert not made.take()
        process.kill()
    assert made.take()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
def test_a_journal_that_is_given_back_has_no_file_open(begin: Begin) -> None:
    made = begin()
    MlflowClient(made.uri).get_run(made.id)

    def open_files() -> list[str]:
        links = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
        return [link for link in links if link.startswith(str(made.folder))]

    assert open_files()
    made.release()
    assert open_files() == []


def test_a_killed_run_is_failed_and_says_how_to_go_on(begin: Begin) -> None:
    made = begin()
    made.end_as_lost()
    run = MlflowClient(made.uri).get_run(made.id)
    assert run.info.status == "FAILED"
    assert run.info.end_time >= run.info.start_time
    assert f"resume={made.id}" in run.data.tags["newsclf.failure"]


def test_what_is_sent_is_gone_but_for_its_other_name(begin: Begin) -> None:
    made = begin()
    made.sent.keep(run_id="a" * 32, experiment_id="3", server="http://127.0.0.1:1")
    made.remove()
    assert not made.folder.exists()
    assert find(made.id) is None
    assert place_of(made.id) == {"run_id": "a" * 32, "experiment_id": "3", "server": "http://127.0.0.1:1"}
    assert not made.take()


def test_a_folder_that_cannot_be_written_ends_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("NEWSCLF_JOURNAL_DIR", str(tmp_path / "taken"))
    with pytest.raises(InputError, match=r"the journal .*taken cannot be written .*NEWSCLF_JOURNAL_DIR"):
        create("train", "")
