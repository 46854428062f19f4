"""Ids in words are those that the server knows, and no point of a model goes before it."""

import math

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from newsclf.files import write_json
from newsclf.tracking.journal.records import ModelPoints, Points, translated
from newsclf.tracking.journal.sent import SentModel
from newsclf.tracking.journal.store import root
from tests.tracking.conftest import Begin

HERE, THERE, OTHER = "a" * 32, "b" * 32, "c" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"runs:/{HERE}/model", f"runs:/{THERE}/model"),
        (f"{HERE},{OTHER}", f"{THERE},{'d' * 32}"),
        ("e" * 32, "e" * 32),  # a run that the server has made
        (f"{HERE}0", f"{HERE}0"),  # a checksum
        (f"m-{HERE}", f"m-{THERE}"),
        ("", ""),
    ],
)
def test_a_run_that_was_opened_without_its_server_has_another_id_there(text: str, expected: str) -> None:
    write_json(root() / "sent" / f"{OTHER}.json", {"run_id": "d" * 32, "experiment_id": "1", "server": "http://there"})
    assert translated(text, {HERE: THERE}) == expected


def test_points_are_read_from_the_last_one_on(begin: Begin, server: MlflowClient) -> None:
    journal = begin()
    here, there = MlflowClient(journal.uri), server.create_run("0").info.run_id
    here.log_batch(journal.id, [Metric("loss", value, 1000 + step, step) for step, value in enumerate((1, math.nan))])
    sent = journal.sent
    sent.keep(run_id=there)
    points = Points(journal, here.get_run(journal.id), sent, server)
    assert (points.waiting(), list(points.send()), points.waiting()) == (2, [2], 0)
    here.log_metric(journal.id, "loss", 0.5, timestamp=1002, step=2)
    assert (points.waiting(), list(points.send())) == (1, [1])
    found = server.get_metric_history(there, "loss")
    assert [(point.timestamp, point.step) for point in found] == [(1000, 0), (1001, 1), (1002, 2)]
    assert repr([point.value for point in found]) == "[1.0, nan, 0.5]"


def test_points_wait_for_their_model_and_keep_their_order(begin: Begin, server: MlflowClient) -> None:
    journal = begin()
    here = MlflowClient(journal.uri)
    run_id, experiment = server.create_run("0").info.run_id, journal.run["experiment_id"]
    evaluated = server.create_logged_model("0", "of another run").model_id
    mine = here.create_logged_model(str(experiment), "model", journal.id)
    for number, model in enumerate((evaluated, mine.model_id, evaluated)):
        here.log_metric(journal.id, f"metric {number}", number, timestamp=1000, step=0, model_id=model)
    sent = journal.sent
    sent.keep(run_id=run_id)
    points = ModelPoints(journal, here.get_run(journal.id), sent, server)
    assert points.waiting() == 2, "a model that is never finished holds nothing up"
    here.finalize_logged_model(mine.model_id, "READY")
    assert (points.waiting(), list(points.send()), points.waiting()) == (3, [1], 2)
    there = server.create_logged_model("0", "model", run_id).model_id
    sent.models[mine.model_id] = SentModel(there, ready=True)
    assert (list(points.send()), points.waiting()) == ([2], 0)
    for model, names in ((evaluated, ["metric 0", "metric 2"]), (there, ["metric 1"])):
        assert sorted(metric.key for metric in server.get_logged_model(model).metrics or []) == names
