"""The folder of a verb, result.json in it, and the last lines on the terminal."""

import json
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.tracking.result import closing_lines, prepare_folder, write_result
from newsclf.tracking.server import EMBEDDED
from tests.tracking.conftest import Begin


def test_without_a_choice_it_is_below_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepare_folder("", "train", "abc") == Path("outputs/train/abc")
    assert (tmp_path / "outputs" / "train" / "abc").is_dir()
    assert prepare_folder(str(tmp_path / "a" / "b"), "train", "abc") == tmp_path / "a" / "b"


def test_a_folder_that_cannot_be_written_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"output_dir {tmp_path}/file cannot be written .*: give another folder"):
        prepare_folder(str(tmp_path / "file"), "train", "abc")


def test_the_result_is_written_as_text_that_is_read_again(tmp_path: Path) -> None:
    result = {"verb": "train", "run_id": "abc", "metrics": {"f1/Müller": 0.5}, "paths": {}}
    file = write_result(tmp_path, result)
    assert json.loads(file.read_text(encoding="utf-8")) == result
    assert "Müller" in file.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="result.json cannot be written .*: the run abc holds everything but this"):
        write_result(file, result)


@pytest.mark.parametrize(
    ("server", "look"),
    [
        (f"https://ann:{'secret'}@mlflow.example/?token=abc", "https://mlflow.example/#/experiments/7/runs/abc"),
        ("https://mlflow.example/", "https://mlflow.example/#/experiments/7/runs/abc"),
        ("sqlite:////data/runs.db", "make ui, then http://127.0.0.1:5000/#/experiments/7/runs/abc"),
        (EMBEDDED, "make ui, then http://127.0.0.1:5000/#/experiments/7/runs/abc"),
    ],
)
def test_the_last_line_says_how_to_look_at_it(server: str, look: str) -> None:
    lines = closing_lines(server, "7", "abc", {"report": "report.html", "result": "result.json"}).splitlines()
    assert lines == ["run     abc", "report  report.html", "result  result.json", f"look    {look}"]


def test_a_run_that_waits_in_the_journal(begin: Begin) -> None:
    journal = begin()
    assert closing_lines("http://host", "0", journal.id, {}).endswith("look  make ui, after make sync")
    journal.sent.keep(run_id="b" * 32, experiment_id="3", server="http://host")
    journal.remove()
    assert closing_lines("http://host", "0", journal.id, {}).endswith(f"/#/experiments/3/runs/{'b' * 32}")
