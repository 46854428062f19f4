"""retrain on tables: a calm stream, one that has drifted without labels, and calls that are bad or killed."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.data.simulation import injections

pytestmark = pytest.mark.integration

BUDGET = 7


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """calm: texts of the packaged sample; drifted: the same, every other letter changed."""
    import numpy as np

    rows = load(TrainConfig()).splits
    calm = rows["validation"]["text"].tolist() + rows["test"]["text"].tolist()
    return {"calm": calm, "drifted": injections.garble(calm, 1.0, np.random.default_rng(0), letters=0.5)}


@pytest.fixture(scope="module")
def retrain(place, in_process, tiny_encoder) -> Any:
    """`retrain(stream, ...)`: the verb on a folder of tables; its process, and its result.json."""
    assert in_process("train", encoder=tiny_encoder, epochs=1, learning_rate=0.01, register="news") == 0
    place.client().set_registered_model_alias("news", "champion", "1")

    def call(stream: Path, code: int = 0, **options: Any) -> tuple[str, dict[str, Any]]:
        output = place.folder / "output" / stream.name
        given = {"stream": stream, "champion": "models:/news@champion", "output_dir": output, **options}
        done = place.run(*place.entry_point("retrain", given), OMP_NUM_THREADS="1")
        assert done.returncode == code, done.stdout + done.stderr
        result = output / "result.json"
        return done.stdout + done.stderr, json.loads(result.read_text()) if result.is_file() else {}

    return call


def stream_of(folder: Path, texts: list[str]) -> Path:
    """Two batches without labels."""
    folder.mkdir()
    half = len(texts) // 2
    for day, part in enumerate((texts[:half], texts[half:]), start=1):
        pd.DataFrame({"text": part}).to_csv(folder / f"2026-01-0{day}.csv", index=False)
    return folder


def verbs(place: Any, run_id: str) -> list[str]:
    """Of the finished runs below a run."""
    children = place.client().search_runs(["0"], f"tags.mlflow.parentRunId = '{run_id}'")
    assert {child.info.status for child in children} <= {"FINISHED"}
    return sorted(child.data.tags["newsclf.verb"] for child in children)


def test_where_nothing_has_drifted_nothing_is_trained(place, retrain, texts) -> None:
    said, result = retrain(stream_of(place.folder / "calm", texts["calm"]))
    assert "nothing: Nothing has drifted." in said
    assert (result["metrics"]["batches"], result["metrics"]["trained"]) == (2, 0)
    assert verbs(place, result["run_id"]) == ["monitor"]
    assert "stays, nothing was trained" in Path(result["paths"]["report"]).read_text()


def test_a_drift_without_labels_asks_for_the_most_telling(place, retrain, texts) -> None:
    stream = stream_of(place.folder / "drifted", texts["drifted"])
    said, result = retrain(stream, label_budget=BUDGET)
    assert f"the {BUDGET} texts most worth it are in to_label.csv" in said
    asked = pd.read_csv(result["paths"]["to_label"], keep_default_na=False)
    assert asked.columns.tolist() == ["batch", "text", "label", "predicted_label", "confidence", "row_id"]
    assert len(set(asked["text"]) & set(texts["drifted"])) == BUDGET
    assert set(asked["label"]) == {""}
    assert asked["batch"].str.startswith("2026-01-0").all()
    assert result["metrics"]["batches_drifted"] == 2
    tags = place.client().get_run(result["run_id"]).data.tags
    assert tags["newsclf.decision"] == "label"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"champion": "models:/news@nobody"}, "models:/news@nobody"),
        ({"champion": "runs:/abc/model"}, "is no registered model"),
        ({"train": "{epoch: 3}"}, "did you mean epochs"),
        ({"gate": "{margin: 3}"}, "unknown option margin"),
        ({"sweep": "absent.yaml"}, "absent.yaml"),
        ({"tracking": "offline"}, "reads what its children log"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_options_end_it_before_any_child(options, said, place, retrain) -> None:
    before = len(place.runs())
    out, _ = retrain(place.folder / "anywhere", code=2, **options)
    assert said in out
    assert "Traceback" not in out
    assert len(place.runs()) <= before + 1


def test_a_call_that_is_killed_leaves_nothing_running_and_can_be_called_again(place, retrain, texts) -> None:
    stream = stream_of(place.folder / "killed", texts["calm"])
    options = {"stream": stream, "champion": "models:/news@champion", "output_dir": place.folder / "output" / "killed"}
    process = place.start(*place.entry_point("retrain", options), OMP_NUM_THREADS="1")
    place.await_line(process, "the monitor")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _, result = retrain(stream)
    assert result["metrics"]["batches"] == 2
    end = time.monotonic() + 60
    while "RUNNING" in place.statuses():
        assert time.monotonic() < end
        time.sleep(0.2)
