"""Versions, aliases, and who is champion: on a real database, from one process and from several at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.errors import InputError
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.registry.versions import CHALLENGER, CHAMPION, PROMOTED, ROLLED_BACK
from tests.integration.racers import race

pytestmark = pytest.mark.integration

NAME, RUN = "news", "0" * 32


@pytest.fixture
def client(tmp_path: Path, empty_database: Path) -> MlflowClient:
    (tmp_path / "registry.db").write_bytes(empty_database.read_bytes())
    uri = f"sqlite:///{tmp_path / 'registry.db'}"
    return MlflowClient(uri, uri)


@pytest.fixture
def versions(client: MlflowClient) -> list[str]:
    """Version numbers of three models."""
    client.create_registered_model(NAME)
    return [str(client.create_model_version(NAME, f"s3://models/{number}").version) for number in range(3)]


def holder(client: MlflowClient) -> str | None:
    found = registry.by_alias(client, NAME, CHAMPION)
    return str(found.version) if found else None


def move(client: MlflowClient, to: str, kind: str = PROMOTED) -> bool:
    return champion.move_champion(client, NAME, champion.throne(client, NAME), to, kind, RUN)


def test_of_promotions_at_the_same_time_one_wins_and_is_champion(
    client: MlflowClient, versions: list[str], tmp_path: Path
) -> None:
    race(client, NAME, versions, rounds=4, folder=tmp_path)


def test_a_move_that_was_decided_on_an_earlier_champion_does_not_count(
    client: MlflowClient, versions: list[str]
) -> None:
    seen = champion.throne(client, NAME)
    assert (seen.version, seen.before) == (None, None)
    assert champion.move_champion(client, NAME, seen, "1", PROMOTED, RUN)
    assert not champion.move_champion(client, NAME, seen, "2", PROMOTED, RUN)
    assert holder(client) == "1"
    assert move(client, "2")
    # To the same champion and back again in between: the version is as it was, the moves are not.
    seen = champion.throne(client, NAME)
    assert move(client, "3")
    assert move(client, "2", ROLLED_BACK)
    assert not champion.move_champion(client, NAME, seen, "1", PROMOTED, RUN)
    assert holder(client) == "2"


def test_a_promotion_that_is_killed_before_it_sets_the_alias_is_carried_out_by_the_next(
    client: MlflowClient, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert move(client, "1")
    client.set_registered_model_alias(NAME, CHALLENGER, "2")
    with monkeypatch.context() as patch:
        patch.setattr(champion, "_carry_out", lambda *_: None)  # it dies here
        assert move(client, "2")
    assert holder(client) == "1"
    assert champion.throne(client, NAME).version == "2"
    assert holder(client) == "2"
    assert registry.by_alias(client, NAME, CHALLENGER) is None


def test_a_lost_answer_is_no_lost_move(
    client: MlflowClient, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has made the version, but the connection broke."""
    made = client.create_model_version

    def broken(*args: object, **options: object) -> None:
        from mlflow.exceptions import MlflowException

        made(*args, **options)  # type: ignore[arg-type]
        raise MlflowException("connection reset")

    monkeypatch.setattr(client, "create_model_version", broken)
    assert move(client, "1")
    assert holder(client) == "1"


def test_back_and_back_again(client: MlflowClient, versions: list[str]) -> None:
    for to in versions:
        assert move(client, to)
    for before in ("2", "1"):
        assert champion.throne(client, NAME).before == before
        assert move(client, before, ROLLED_BACK)
    assert champion.throne(client, NAME).before is None
    assert move(client, "3")
    assert champion.throne(client, NAME).before == "1"


def test_an_alias_that_was_set_by_hand_counts(client: MlflowClient, versions: list[str]) -> None:
    assert move(client, "1")
    client.set_registered_model_alias(NAME, CHAMPION, "2")
    seen = champion.throne(client, NAME)
    assert (seen.version, seen.before) == ("2", "1")
    assert champion.move_champion(client, NAME, seen, "3", PROMOTED, RUN)
    assert champion.throne(client, NAME).before == "2"
    seen = champion.throne(client, NAME)
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    assert not champion.move_champion(client, NAME, seen, "2", PROMOTED, RUN)
    assert holder(client) == "1"


def logged(client: MlflowClient, folder: Path) -> str:
    """A run with a model, its files and the tags that train sets."""
    tags = {"newsclf.data_fingerprint": "f" * 64, "newsclf.reference": "r1", "other": "x"}
    run_id = client.create_run("0", tags=tags).info.run_id
    model = client.create_logged_model("0", name="model", source_run_id=run_id)
    (folder / "MLmodel").write_text(json.dumps({"flavors": {}}))
    client.log_model_artifact(model.model_id, str(folder / "MLmodel"))
    from mlflow.entities import LoggedModelOutput

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
    assert holder(client) is None
    assert str(registry.register(client, second, NAME).version) == "2"
    registry.register(client, first, NAME)  # sent again, late
    newest = registry.by_alias(client, NAME, CHALLENGER)
    assert newest is not None
    assert str(newest.version) == "2"
    assert move(client, "2")
    registry.register(client, second, NAME)
    assert registry.by_alias(client, NAME, CHALLENGER) is None, "the champion is no challenger"
    assert str(registry.find_version(client, NAME, f"runs:/{first}/model").version) == "1"
    assert str(registry.find_version(client, NAME, f"models:/{NAME}@champion").version) == "2"


@pytest.mark.parametrize(
    "model", ["models:/news@absent", "models:/news/9", "models:/other/1", f"runs:/{RUN}/model", "x"]
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
