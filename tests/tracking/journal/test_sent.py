"""What the server has got is kept in a file, which the versions before this one have written, too."""

import json
from pathlib import Path

import pytest

from newsclf.tracking.journal.sent import Sent, SentModel

# As version 0.1 has written it, the run half sent.
BEFORE = {
    "run_id": "a" * 32, "params": ["seed"], "tags": {"mlflow.user": "me"}, "inputs": 2, "metrics": 7,
    "model_metrics": 3, "files": {"config.yaml": [120, 17]},
    "models": {"m-1": {"model_id": "m-9", "files": {"MLmodel": [5, 6]}, "ready": True}},
    "registered": "news", "ended": ["FINISHED", 12], "partial": True, "experiment_id": "4", "server": "http://there",
}  # fmt: skip


def test_a_file_of_an_earlier_version_is_read_and_its_names_stay(tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    path.write_text(json.dumps(BEFORE))
    sent = Sent.load(path)
    assert (sent.run_id, sent.metrics, sent.ended, sent.partial) == ("a" * 32, 7, ["FINISHED", 12], True)
    assert sent.models == {"m-1": SentModel("m-9", {"MLmodel": [5, 6]}, ready=True)}
    sent.keep()
    assert json.loads(path.read_text()).items() >= BEFORE.items()


def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    sent = Sent.load(tmp_path / "sent.json")
    assert sent == Sent(tmp_path / "sent.json")
    sent.models["m-1"] = SentModel("m-9")
    sent.keep(run_id="a" * 32, metrics=5)
    assert Sent.load(sent.path) == sent
    with pytest.raises(AttributeError):
        sent.keep(metric=6)


# Cut, of another kind, or with a value that was never written there: all may be sent again, and it is said.
UNREADABLE = ['{"run_id": "aa', "[]", '"x"', "", '{"metrics": "7"}', '{"run_id": 7}', '{"tags": []}', '{"models": [1]}']
UNREADABLE += ['{"models": {"m-1": {"model_id": "m-2", "files": [1]}}}', '{"models": {"m-1": {"id": "m-2"}}}']
UNREADABLE += ['{"files": {"a": ["1", 2]}}', '{"files": {"a": 1}}', '{"params": [1]}', '{"ended": "FINISHED"}']


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_file_that_cannot_be_read_says_nothing_is_sent(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sent.json"
    assert not Sent.is_damaged(path)
    path.write_text(text)
    assert Sent.load(path) == Sent(path)
    assert Sent.is_damaged(path)


def test_a_number_that_is_not_the_one_that_was_written_is_seen(tmp_path: Path) -> None:
    """It would keep records back for ever."""
    sent = Sent(tmp_path / "sent.json")
    sent.keep(metrics=100)
    assert not Sent.is_damaged(sent.path)
    sent.path.write_text(sent.path.read_text().replace("100", "900"))
    assert Sent.is_damaged(sent.path)
    assert Sent.load(sent.path).metrics == 0


def test_what_another_version_has_added_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "sent.json").write_text(json.dumps({"run_id": "b" * 32, "later": 1}))
    assert Sent.load(tmp_path / "sent.json").run_id == "b" * 32
