"""A registry in a database of its own."""

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

NAME = "news"


@pytest.fixture
def client(tmp_path: Path, empty_database: Path) -> MlflowClient:
    shutil.copyfile(empty_database, tmp_path / "registry.db")
    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    return MlflowClient(uri, uri)


@pytest.fixture
def versions(client: MlflowClient) -> list[str]:
    """Version numbers of three models."""
    client.create_registered_model(NAME)
    return [str(client.create_model_version(NAME, f"s3://models/{number}").version) for number in range(3)]
