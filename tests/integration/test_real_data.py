"""`mlflow run . -e train` on slices of the public data sets."""

import pytest

pytestmark = pytest.mark.integration

CLASSES = {
    "20newsgroups": {"alt.atheism", "comp.graphics", "sci.space", "talk.religion.misc"},
    "ag_news": {"World", "Sports", "Business", "Sci/Tech"},
}


@pytest.mark.parametrize("dataset", CLASSES)
def test_a_slice_is_trained_and_tested_on_the_official_test_split(dataset, place, real_data, tiny_encoder):
    options = {"dataset": dataset, "data_dir": real_data, "num_samples": 200, "encoder": tiny_encoder}
    done = place.mlflow_run("train", options | {"epochs": 1, "trainable_layers": 0, "max_length": 64})
    assert done.returncode == 0, done.stderr
    run = place.runs()[0]
    metrics = run.data.metrics
    assert run.info.status == "FINISHED"
    assert (metrics["rows/train"], metrics["rows/validation"]) == (180, 20)
    assert metrics["rows/test"] > 1000
    scored = {name.removeprefix("test_f1/") for name in metrics if name.startswith("test_f1/")}
    assert scored == CLASSES[dataset]
    inputs = {item.dataset.name for item in run.inputs.dataset_inputs}
    assert inputs == {f"{dataset}-{split}" for split in ("train", "validation", "test")}
