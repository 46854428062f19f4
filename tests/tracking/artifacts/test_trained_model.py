"""From a registered model to the options it was trained with."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Param

from newsclf.config import TrainConfig
from newsclf.errors import InputError
from newsclf.tracking.artifacts.trained_model import find_trained_model
from newsclf.tracking.origin import FOLDER_TAG


def register(server: MlflowClient, run_id: str | None) -> str:
    server.create_registered_model("news")
    version = server.create_model_version("news", "s3://models/1", run_id)
    server.set_registered_model_alias("news", "champion", version.version)
    return str(version.version)


@pytest.fixture
def trained(server: MlflowClient) -> str:
    """A run of train by an earlier version: one option that is gone, and one that it had not yet."""
    run_id = str(server.create_run("0", tags={"newsclf.verb": "train"}).info.run_id)
    options = {"epochs": "7", "dataset": "news.csv", "test_dataset": "none", "cache_dir": "''", "gone": "1"}
    server.log_batch(run_id, params=[Param(name, text) for name, text in options.items()])
    return run_id


@pytest.mark.parametrize("name", ["models:/news@champion", "models:/news/1"])
def test_its_options_are_those_of_its_run(server: MlflowClient, trained: str, name: str) -> None:
    register(server, trained)
    found = find_trained_model(name)
    assert (found.uri, found.run.info.run_id) == ("models:/news/1", trained)
    assert found.config == TrainConfig(epochs=7, dataset="news.csv")


def test_its_paths_are_those_of_the_folder_where_it_was_begun(
    server: MlflowClient, trained: str, tmp_path: Path
) -> None:
    register(server, trained)
    (tmp_path / "news.csv").touch()
    server.set_tag(trained, FOLDER_TAG, str(tmp_path))
    assert find_trained_model("models:/news/1").config == TrainConfig(epochs=7, dataset=str(tmp_path / "news.csv"))


@pytest.mark.parametrize("name", ["news", "runs:/abc/model", "models:/news"])
def test_what_is_no_registered_model(name: str) -> None:
    with pytest.raises(InputError, match=f"model {name} is no registered model: give models:/<name>@<alias>"):
        find_trained_model(name)


def test_a_model_that_train_did_not_make(server: MlflowClient) -> None:
    register(server, str(server.create_run("0", tags={"newsclf.verb": "evaluate"}).info.run_id))
    with pytest.raises(InputError, match="was not made by train: there are no options and no rows to go on from"):
        find_trained_model("models:/news@champion")


def test_a_run_that_is_gone(server: MlflowClient) -> None:
    register(server, "f" * 32)
    with pytest.raises(InputError, match="model models:/news/1: the run that made it is not there"):
        find_trained_model("models:/news/1")
