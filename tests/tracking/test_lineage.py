"""The data of a run: inputs with a fingerprint, counts by class, what was dropped."""

import dataclasses
import json

import mlflow.artifacts
import pandas as pd
import pytest

from newsclf.data import Dataset
from newsclf.errors import InputError
from newsclf.tracking.lineage import log_dataset, log_split, log_stream
from newsclf.tracking.run import Run


def dataset() -> Dataset:
    frames = {
        "train": pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "x", "y"]}),
        "validation": pd.DataFrame({"text": ["d"], "label": ["x"]}),
        "test": pd.DataFrame({"text": ["e"], "label": ["y"]}),
    }
    return Dataset("toy", ("x", "y"), frames, "toy.csv", {"empty_texts": 2}, (), {"source_md5": "1" * 32})


def inputs(run: Run) -> dict[str, tuple[str, str]]:
    """Digest and context by name."""
    found = run.client.get_run(run.id).inputs
    assert found is not None
    return {one.dataset.name: (one.dataset.digest, one.tags[0].value) for one in found.dataset_inputs}


def test_a_run_that_is_taken_up_goes_on_with_its_own_data(run: Run) -> None:
    made = dataset()
    for _ in range(2):
        log_dataset(run, made, "train", ("train",))
    made.splits["test"].loc[0, "text"] = "f"
    other = dataclasses.replace(made)  # its fingerprint is kept
    with pytest.raises(InputError, match=f"toy.csv: these are not the data that run {run.id} began with"):
        log_dataset(run, other, "train", ("train",))


def test_every_split_is_an_input(run: Run) -> None:
    made = dataset()
    log_dataset(run, made, "train", ("train", "validation", "test"))
    digest = made.fingerprint[:16]
    assert inputs(run) == {f"toy-{split}": (digest, split) for split in ("train", "validation", "test")}
    there = run.client.get_run(run.id).data
    assert there.metrics == {"rows/train": 3, "rows/validation": 1, "rows/test": 1, "dropped/empty_texts": 2}
    assert there.tags["newsclf.data_fingerprint"] == made.fingerprint
    assert there.tags["newsclf.source_md5"] == "1" * 32
    path = mlflow.artifacts.download_artifacts(
        run_id=run.id, artifact_path="data/class_counts.json", tracking_uri=run.store
    )
    with open(path) as file:  # noqa: PTH123
        table = json.load(file)
    assert [dict(zip(table["columns"], row, strict=True)) for row in table["data"]] == [
        {"class": "x", "train": 2, "validation": 1, "test": 0},
        {"class": "y", "train": 1, "validation": 0, "test": 1},
    ]


def test_another_use_of_a_split_is_said(run: Run) -> None:
    log_split(run, dataset(), "test", "baseline")
    assert inputs(run) == {"toy-test": (dataset().fingerprint[:16], "baseline")}


def test_rows_that_came_in_chunks(run: Run) -> None:
    log_stream(run, "n" * 600, "/data/news.csv", "f" * 64)
    assert inputs(run) == {"n" * 500: ("f" * 16, "profile")}
    assert run.client.get_run(run.id).data.tags["newsclf.data_fingerprint"] == "f" * 64
