"""Of what was made by a request that came twice, one counts and no other is left.

What is made on a server: runs (by the journal, and those that a run starts), logged models, versions
(registry/test_versions.py), experiments (test_server.py), registered models, aliases, outputs and inputs, which the
server itself keeps once; moves of a champion have tokens of their own. All of them by faults: integration/
test_network_faults.py.
"""

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, PERMISSION_DENIED

from newsclf.tracking.once import DUPLICATE_TAG, once_model, once_run
from newsclf.tracking.server import NotStored, trouble

TAG = "newsclf.test"


def run(server: MlflowClient) -> str:
    return str(server.create_run("0", tags={TAG: "a"}).info.run_id)


def test_a_run_is_made_once_and_found_again(server: MlflowClient) -> None:
    once = once_run(server, "0", TAG, "a")
    first = once.made(lambda: run(server)).info.run_id
    assert once.made(lambda: pytest.fail("it is there")).info.run_id == first
    assert len(server.search_runs(["0"])) == 1


def test_a_request_that_came_twice_leaves_one_run_and_none_running(server: MlflowClient) -> None:
    kept = once_run(server, "0", TAG, "a").made(lambda: [run(server) for _ in range(3)]).info.run_id
    assert [one.info.run_id for one in server.search_runs(["0"])] == [kept]
    removed = server.search_runs(["0"], run_view_type=ViewType.DELETED_ONLY)
    assert [(one.info.status, one.data.tags[DUPLICATE_TAG]) for one in removed] == [("KILLED", kept)] * 2
    late = run(server)  # of a request that was held up on its way
    again = once_run(server, "0", TAG, "a", known=kept).alone()
    assert again is not None
    assert again.info.run_id == kept
    assert server.get_run(late).info.lifecycle_stage == "deleted"


def test_the_known_one_counts_and_what_a_person_has_deleted_counts_last(server: MlflowClient) -> None:
    first, second = sorted(run(server) for _ in range(2))
    server.delete_run(first)
    once = once_run(server, "0", TAG, "a")
    assert [one.info.run_id for one in once.find()] == [second, first]
    assert [one.info.run_id for one in once_run(server, "0", TAG, "a", known=first).find()] == [first, second]
    server.delete_run(second)
    assert once.made(lambda: pytest.fail("it was deleted, and is not made anew")) is not None


class Unwilling:
    """A client of a server that does not let this user delete."""

    def __init__(self, client: MlflowClient, code: int) -> None:
        self.client, self.code = client, code

    def __getattr__(self, name: str) -> object:
        if name.startswith("delete_"):
            return lambda *_: (_ for _ in ()).throw(MlflowException("no", self.code))
        return getattr(self.client, name)


def test_who_may_not_delete_ends_the_others(server: MlflowClient) -> None:
    kept = once_run(Unwilling(server, PERMISSION_DENIED), "0", TAG, "a").made(  # type: ignore[arg-type]
        lambda: [run(server) for _ in range(2)]
    )
    statuses = {one.info.run_id: one.info.status for one in server.search_runs(["0"])}
    assert statuses.pop(kept.info.run_id) == "RUNNING"
    assert [*statuses.values()] == ["KILLED"]
    assert [one.info.run_id for one in once_run(server, "0", TAG, "a").find()] == [kept.info.run_id]
    with pytest.raises(MlflowException, match="no"):
        once_run(Unwilling(server, INTERNAL_ERROR), "0", TAG, "b").made(  # type: ignore[arg-type]
            lambda: [server.create_run("0", tags={TAG: "b"}) for _ in range(2)]
        )


def test_a_model_is_made_once(server: MlflowClient) -> None:
    def make() -> list[str]:
        return [server.create_logged_model("0", "model", tags={TAG: "a"}).model_id for _ in range(2)]

    kept = once_model(server, "0", TAG, "a").made(make)
    assert [one.model_id for one in server.search_logged_models(["0"])] == [kept.model_id]


def test_a_yes_that_has_made_nothing_is_no_yes(server: MlflowClient) -> None:
    with pytest.raises(NotStored, match="says that it has made it, and has not") as raised:
        once_run(server, "0", TAG, "a").made(lambda: "yes")
    assert not trouble(raised.value).lasting
