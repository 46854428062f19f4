"""Who is champion, who was before, and that of several who want to change it one does: on a real database."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.registry.champion import ChampionState, Move
from newsclf.tracking.registry.versions import CHALLENGER, CHAMPION, PROMOTED, ROLLED_BACK
from tests.integration.racers import race
from tests.tracking.registry.conftest import NAME

RUN = "0" * 32


def state(version: str | None, *moves: str) -> ChampionState:
    """The state after moves such as `1>2` (promoted), `>1` (the first) and `2<1` (rolled back)."""
    made = []
    for number, words in enumerate(moves, 1):
        came_from, kind, to = words.partition("<" if "<" in words else ">")
        made.append(Move(number, to, came_from, ROLLED_BACK if kind == "<" else PROMOTED, str(number), done=True))
    return ChampionState(version, len(made), tuple(made))


@pytest.mark.parametrize(
    ("version", "moves", "previous"),
    [
        (None, [], None),
        ("1", [], None),  # set by hand
        ("1", [">1"], None),
        ("3", [">1", "1>2", "2>3"], "2"),
        ("2", [">1", "1>2", "2>3", "3<2"], "1"),
        ("1", [">1", "1>2", "2>3", "3<2", "2<1"], None),
        ("3", [">1", "1>2", "2<1", "1>3"], "1"),  # the stack was cut to where it went back
        ("1", [">1", "1>2", "2>1"], "2"),  # promoted again
        ("1", [">1", "1>2", "2>1", "1<2", "2<1"], None),
        ("3", [">1", "2>3"], "2"),  # 2 was set by hand in between
        ("2", [">1"], "1"),  # and has not moved since
        ("2", [">1", "1>2", "2<1", "1>2"], "1"),
        ("5", ["4>5"], "4"),
        ("4", ["4>5", "5<4"], None),
    ],
)
def test_a_rollback_goes_to_the_champion_before(version: str | None, moves: list[str], previous: str | None) -> None:
    assert state(version, *moves).previous == previous


def holder(client: MlflowClient) -> str | None:
    found = registry.version_by_alias(client, NAME, CHAMPION)
    return str(found.version) if found else None


def move(client: MlflowClient, to: str, kind: str = PROMOTED) -> bool:
    return champion.set_champion(client, NAME, champion.read_state(client, NAME), to, kind, RUN)


@pytest.mark.integration
def test_of_promotions_at_the_same_time_one_wins_and_is_champion(
    client: MlflowClient, versions: list[str], tmp_path: Path
) -> None:
    race(client, NAME, versions, rounds=4, folder=tmp_path)


def test_a_move_that_was_decided_on_an_earlier_champion_does_not_count(
    client: MlflowClient, versions: list[str]
) -> None:
    seen = champion.read_state(client, NAME)
    assert (seen.version, seen.previous) == (None, None)
    assert champion.set_champion(client, NAME, seen, "1", PROMOTED, RUN)
    assert not champion.set_champion(client, NAME, seen, "2", PROMOTED, RUN)
    assert holder(client) == "1"
    assert move(client, "2")
    # To the same champion and back again in between: the version is as it was, the moves are not.
    seen = champion.read_state(client, NAME)
    assert move(client, "3")
    assert move(client, "2", ROLLED_BACK)
    assert not champion.set_champion(client, NAME, seen, "1", PROMOTED, RUN)
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
    assert champion.read_state(client, NAME).version == "2"
    assert holder(client) == "2"
    assert registry.version_by_alias(client, NAME, CHALLENGER) is None


def test_a_lost_answer_is_no_lost_move(
    client: MlflowClient, versions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has made the version, but the connection broke."""
    made = client.create_model_version

    def broken(*args: object, **options: object) -> None:
        made(*args, **options)  # type: ignore[arg-type]
        raise MlflowException("connection reset")

    monkeypatch.setattr(client, "create_model_version", broken)
    assert move(client, "1")
    assert holder(client) == "1"


def test_back_and_back_again(client: MlflowClient, versions: list[str]) -> None:
    for to in versions:
        assert move(client, to)
    for before in ("2", "1"):
        assert champion.read_state(client, NAME).previous == before
        assert move(client, before, ROLLED_BACK)
    assert champion.read_state(client, NAME).previous is None
    assert move(client, "3")
    assert champion.read_state(client, NAME).previous == "1"


def test_an_alias_that_was_set_by_hand_counts(client: MlflowClient, versions: list[str]) -> None:
    assert move(client, "1")
    client.set_registered_model_alias(NAME, CHAMPION, "2")
    seen = champion.read_state(client, NAME)
    assert (seen.version, seen.previous) == ("2", "1")
    assert champion.set_champion(client, NAME, seen, "3", PROMOTED, RUN)
    assert champion.read_state(client, NAME).previous == "2"
    seen = champion.read_state(client, NAME)
    client.set_registered_model_alias(NAME, CHAMPION, "1")
    assert not champion.set_champion(client, NAME, seen, "2", PROMOTED, RUN)
    assert holder(client) == "1"


def test_a_registry_that_does_not_answer_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:1")
    client = registry.registry_client()
    with pytest.raises(InputError, match=r"the registry http://127.0.0.1:1 cannot be used .*TRACKING_URI"):
        champion.read_state(client, NAME)
