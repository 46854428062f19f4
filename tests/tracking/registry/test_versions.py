"""A run's model is registered once, with its lineage, and found by every name that it has."""

import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from newsclf.errors import InputError
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.registry.versions import CHALLENGER, CHAMPION, PROMOTED, ROLLED_BACK
from tests.tracking.registry.conftest import NAME


def logged(client: MlflowClient, folder: Path) -> str:
    """A run with a model, its files and the tags that train sets."""
    tags = {"newsclf.data_fingerprint": "f" * 64, "newsclf.reference": "r1", "other": "x"}
    run_id = client.create_run("0", tags=tags).info.run_id
    model = client.create_logged_model("0", name="model", source_run_id=run_id)
    (folder / "MLmodel").write_text(json.dumps({"flavors": {}}))
    client.log_model_artifact(model.model_id, str(folder / "MLmodel"))
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    client.finalize_logged_model(model.model_id, "READY")
    return run_id


def test_a_run_is_registered_once_with_its_lineage_as_challenger(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    first, second = logged(client, tmp_path), logged(client, tmp_path)
    for _ in range(2):
        version = registry.register(client, first, NAME)
        assert (str(version.version), version.run_id) == ("1", first)
    assert version.tags == {
        "newsclf.run_id": first,
        "newsclf.reference_uri": f"runs:/{first}/reference",
        "newsclf.data_fingerprint": "f" * 64,
        "newsclf.reference": "r1",
    }
    assert registry.version_by_alias(client, NAME, CHAMPION) is None
    assert str(registry.register(client, second, NAME).version) == "2"
    registry.register(client, first, NAME)  # sent again, late
    newest = registry.version_by_alias(client, NAME, CHALLENGER)
    assert newest is not None
    assert str(newest.version) == "2"
    client.set_registered_model_alias(NAME, CHAMPION, "2")
    client.delete_registered_model_alias(NAME, CHALLENGER)
    registry.register(client, second, NAME)
    assert registry.version_by_alias(client, NAME, CHALLENGER) is None, "the champion is no challenger"
    assert str(registry.find_version(client, NAME, f"runs:/{first}/model").version) == "1"
    assert str(registry.find_version(client, NAME, f"models:/{NAME}@champion").version) == "2"


def test_a_request_that_came_twice_leaves_one_version(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, create = logged(client, tmp_path), client.create_model_version

    def twice(*args: Any, **options: Any) -> object:
        return [create(*args, **options) for _ in range(2)][1]

    monkeypatch.setattr(client, "create_model_version", twice)
    assert str(registry.register(client, run_id, NAME).version) == "1"
    assert [str(one.version) for one in client.search_model_versions(f"name = '{NAME}'")] == ["1"]
    by_hand = create(NAME, "s3://models/1", run_id)  # a person's, who has a reason
    named = create(NAME, "s3://models/1", run_id, tags={"newsclf.run_id": run_id})
    client.set_registered_model_alias(NAME, "mine", named.version)
    registry.register(client, run_id, NAME)
    kept = {str(one.version) for one in client.search_model_versions(f"name = '{NAME}'")}
    assert kept == {"1", str(by_hand.version), str(named.version)}


def test_a_registry_that_is_busy_is_no_refusal(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise MlflowException("database", error_code=TEMPORARILY_UNAVAILABLE)

    monkeypatch.setattr(client, "create_registered_model", busy)
    with pytest.raises(MlflowException, match="database"):
        registry.create_if_missing(client, NAME, "")


@pytest.mark.parametrize(
    "model", ["models:/news@absent", "models:/news/9", "models:/other/1", f"runs:/{'0' * 32}/model", "x"]
)
def test_what_is_no_version_is_named(model: str, client: MlflowClient, versions: list[str]) -> None:
    with pytest.raises(InputError, match=model):
        registry.find_version(client, NAME, model)


def test_a_run_without_a_model_and_a_bad_name_are_refused(client: MlflowClient) -> None:
    run_id = client.create_run("0").info.run_id
    with pytest.raises(InputError, match="has logged no model"):
        registry.register(client, run_id, NAME)
    for name in ("", "a/b", "it's"):
        with pytest.raises(InputError, match="is no name"):
            registry.check_name(name)


def test_every_name_of_a_version_finds_it(client: MlflowClient, versions: list[str]) -> None:
    run_id = client.create_run("0").info.run_id
    client.create_model_version(NAME, "s3://models/3", run_id)
    client.set_registered_model_alias(NAME, CHALLENGER, "2")
    found = {
        model: str(registry.find_version(client, NAME, model).version)
        for model in ("models:/news@challenger", "models:/news/3", f"runs:/{run_id}/model", f"runs:/{run_id}")
    }
    assert list(found.values()) == ["2", "3", "4", "4"]


def test_a_registry_that_is_away_is_not_taken_for_a_version_that_is_not_there(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise MlflowException("connection refused")

    for name in ("get_model_version", "get_model_version_by_alias", "search_model_versions"):
        monkeypatch.setattr(client, name, away)
    for model in ("models:/news/1", "models:/news@champion", f"runs:/{'0' * 32}/model"):
        with pytest.raises(MlflowException, match="connection refused"):
            registry.find_version(client, NAME, model)


@pytest.mark.parametrize(
    ("outcome", "winner", "loser"),
    [
        (PROMOTED, "promoted", "replaced by version 2"),
        (ROLLED_BACK, "champion again", "replaced by version 2"),
        ("refused", "refused", "kept against version 2"),
    ],
)
def test_a_decision_is_told_on_both_versions(
    outcome: str, winner: str, loser: str, client: MlflowClient, versions: list[str]
) -> None:
    registry.tag_decision(client, NAME, "2", "1", outcome, "Because." * 1000, {"p": 0.25}, "0" * 32)
    for version, said in (("2", winner), ("1", loser)):
        tags = client.get_model_version(NAME, version).tags
        assert tags.pop("newsclf.promotion_reason") == ("Because." * 1000)[:5000]
        assert tags == {
            "newsclf.promotion": said,
            "newsclf.promotion_run": "0" * 32,
            "newsclf.promotion_numbers": '{"p": 0.25}',
        }
