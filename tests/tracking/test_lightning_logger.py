"""Lightning's metrics reach the run: all, once, many at a time, and later where the disk is full."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from newsclf.tracking import lightning_logger
from newsclf.tracking.lightning_logger import RunLogger
from newsclf.tracking.run import Run


def points(run: Run, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in run.client.get_metric_history(run.id, name)]


def test_an_epoch_is_sent_at_its_end(run: Run) -> None:
    logger = RunLogger(run)
    assert (logger.name, logger.version) == ("mlflow", run.id)
    logger.log_metrics({"train_loss": 0.5, "epoch": 0}, 3)
    assert points(run, "train_loss") == []
    logger.log_metrics({"val_loss": 0.4, "epoch": 0}, 4)
    assert (points(run, "train_loss"), points(run, "val_loss")) == ([(3, 0.5)], [(4, 0.4)])
    assert points(run, "epoch") == []


def test_the_learning_rate_of_one_parameter_group_is_enough(run: Run) -> None:
    logger = RunLogger(run)
    logger.log_metrics({f"learning_rate/pg{group}": 0.1 for group in range(1, 13)}, 0)
    logger.finalize("success")
    assert points(run, "learning_rate") == [(0, 0.1)]
    assert run.client.get_run(run.id).data.metrics.keys() == {"learning_rate"}


def test_what_a_resumed_run_has_is_not_logged_again(run: Run) -> None:
    run.log_metrics({"train_loss": 0.5}, step=3)
    logger = RunLogger(run)
    logger.log_metrics({"train_loss": 9.0}, 3)
    logger.log_metrics({"train_loss": 0.4}, 4)
    logger.save()
    assert points(run, "train_loss") == [(3, 0.5), (4, 0.4)]


def test_so_many_do_not_wait(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightning_logger, "BATCH", 3)
    logger = RunLogger(run)
    for step in range(4):
        logger.log_metrics({"train_loss": 0.5}, step)
    assert len(points(run, "train_loss")) == 3
    assert len(logger.waiting) == 1


@pytest.mark.parametrize(("reason", "waits"), [("database or disk is full", True), ("no such table: metrics", False)])
def test_on_a_full_disk_they_wait_for_room(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: str, waits: bool
) -> None:
    def refuse(client: MlflowClient, run_id: str, sent: list[Metric]) -> None:
        raise MlflowException(f"(sqlite3.OperationalError) {reason}")

    logger = RunLogger(run)
    with monkeypatch.context() as patch:
        patch.setattr(lightning_logger, "send_points", refuse)
        logger.log_metrics({"train_loss": 0.5}, 1)
        if not waits:
            with pytest.raises(MlflowException, match=reason):
                logger.save()
            return
        logger.save()
    said = capsys.readouterr().err
    assert said == "warning: metrics wait for room on the disk: (sqlite3.OperationalError) database or disk is full\n"
    logger.save()
    assert points(run, "train_loss") == [(1, 0.5)]
