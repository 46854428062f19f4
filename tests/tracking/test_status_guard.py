"""A run keeps its status against a later word; what waits and what sleeps is made quick."""

import pytest
from mlflow import MlflowClient

from newsclf.tracking import status_guard


@pytest.fixture
def run_id(server: MlflowClient) -> str:
    made = server.create_run("0").info.run_id
    server.set_terminated(made, "KILLED")
    return str(made)


def test_a_later_word_is_taken_back(server: MlflowClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter(["KILLED", "KILLED", "FAILED"])

    def sleep(_: float) -> None:
        server.set_terminated(run_id, next(looks))

    monkeypatch.setattr(status_guard.time, "sleep", sleep)
    status_guard.main(run_id, "KILLED")
    assert server.get_run(run_id).info.status == "KILLED"
    assert next(looks, None) is None, "it looked until there was one"


def test_after_a_while_it_stops_looking(server: MlflowClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 1000, 10))
    monkeypatch.setattr(status_guard.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(status_guard.time, "sleep", lambda _: None)
    status_guard.main(run_id, "KILLED")
    assert next(now) == 40
