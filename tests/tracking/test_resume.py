"""Which run can be taken up again, and with which options."""

from pathlib import Path

import pytest
from mlflow.entities import Param, Run, RunData, RunInfo, RunTag
from mlflow.exceptions import MlflowException

from newsclf.config import TrainConfig
from newsclf.errors import InputError
from newsclf.tracking import resume
from newsclf.tracking.origin import FOLDER_TAG
from newsclf.tracking.resume import CHECKPOINTS_TAG, find_interrupted_run

ID = "0123456789abcdef" * 2
OPTIONS = {"epochs": "5", "seed": "3", "output_dir": "''", "device": "cpu", "send_timeout": "7", "config": "a.yaml"}


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The tags of the run that is there."""
    tags = {"newsclf.verb": "train", "status": "KILLED"}

    def get_run(run_id: str) -> Run:
        if run_id != ID:
            raise MlflowException("Run not found")
        info = RunInfo(ID, "0", "me", tags["status"], 0, 1, "active")
        params = [Param(name, text) for name, text in OPTIONS.items()]
        return Run(info, RunData(params=params, tags=[RunTag(name, text) for name, text in tags.items()]))

    monkeypatch.setattr(resume, "get_run", get_run)
    return tags


def test_its_own_options_stand_in_for_defaults(logged: dict[str, str]) -> None:
    found = find_interrupted_run(TrainConfig(resume=ID, send_timeout=1, num_workers=2))
    assert (found.run_id, found.checkpoints) == (ID, None)
    assert (found.config.epochs, found.config.seed, found.config.output_dir) == (5, 3, "")
    assert (found.config.send_timeout, found.config.num_workers) == (1, 2), "of this call and of this machine"


def test_the_machine_may_be_another(logged: dict[str, str]) -> None:
    assert find_interrupted_run(TrainConfig(resume=ID, device="cuda")).config.device == "cuda"
    assert find_interrupted_run(TrainConfig(resume=ID)).config.device == "cpu"


def test_its_paths_are_those_of_the_folder_where_it_was_begun(
    logged: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.csv").touch()
    (tmp_path / "enc").mkdir()
    logged[FOLDER_TAG] = str(tmp_path)
    monkeypatch.setitem(OPTIONS, "dataset", "rows.csv")
    monkeypatch.setitem(OPTIONS, "encoder", "./enc")
    for typed in ("sample", "rows.csv", str(tmp_path / "rows.csv")):  # the default: not given at all
        found = find_interrupted_run(TrainConfig(resume=ID, dataset=typed)).config
        assert (found.dataset, found.encoder) == (str(tmp_path / "rows.csv"), str(tmp_path / "enc"))
    with pytest.raises(InputError, match=r"option dataset is /rows.csv, and rows.csv in that run"):
        find_interrupted_run(TrainConfig(resume=ID, dataset="/rows.csv"))


def test_its_checkpoints(logged: dict[str, str], tmp_path: Path) -> None:
    logged[CHECKPOINTS_TAG] = str(tmp_path)
    assert find_interrupted_run(TrainConfig(resume=ID)).checkpoints == tmp_path


@pytest.mark.parametrize(
    ("config", "tags", "message"),
    [
        (TrainConfig(resume="x"), {}, "it must be the id of a run of train"),
        (TrainConfig(resume=ID[::-1]), {}, "the run is not in the journal, nor in .*Run not found"),
        (TrainConfig(resume=ID), {"newsclf.verb": "evaluate"}, "it is a run of evaluate, and only train"),
        (TrainConfig(resume=ID), {"status": "FINISHED"}, "that run has ended well"),
        (TrainConfig(resume=ID), {CHECKPOINTS_TAG: "/gone"}, "kept in /gone, which is not on this machine"),
        (TrainConfig(resume=ID, epochs=9), {}, "option epochs is 9, and 5 in that run"),
    ],
)
def test_what_cannot_be_taken_up(
    logged: dict[str, str], config: TrainConfig, tags: dict[str, str], message: str
) -> None:
    logged |= tags
    with pytest.raises(InputError, match=message):
        find_interrupted_run(config)
