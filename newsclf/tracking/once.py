"""What is made on a server once, though an answer is lost or a request is doubled on its way there.

It carries a tag of its own, by which it is looked for before it is made, and after: of several the first counts, and
the others, which nobody will ever write to, are ended and removed.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.exceptions import MlflowException

from newsclf.tracking.server import NotStored, status_of

T = TypeVar("T")
DUPLICATE_TAG = "newsclf.duplicate_of"


class Once(Generic[T]):
    """One thing on a server. find: all that are it, the one that counts first; remove: one of the others, and that."""

    def __init__(self, find: Callable[[], Sequence[T]], remove: Callable[[T, T], object]) -> None:
        self.find, self.remove = find, remove

    def alone(self) -> T | None:
        """The one that counts, the others removed; None where there is none."""
        found = self.find()
        for other in found[1:]:
            self.remove(other, found[0])
        return found[0] if found else None

    def made(self, make: Callable[[], object]) -> T:
        """The one that counts, made where there is none. Raises NotStored where it is not found afterwards either."""
        if (found := self.alone()) is None:
            make()  # its answer may be that of the second of two
            found = self.alone()
        if found is None:
            raise NotStored("it says that it has made it, and has not: what answers may not be the server itself")
        return found


def once_run(client: MlflowClient, experiment: str, tag: str, value: str, known: str = "") -> Once[Run]:
    """The run with this tag. known: the id of the one that counts. One that a person has deleted is the last choice."""

    def find() -> list[Run]:
        query = f"tags.`{tag}` = '{value}'"
        found = [run for run in client.search_runs([experiment], query, ViewType.ALL) if not _is_removed(run)]
        return sorted(found, key=lambda run: (run.info.run_id != known, not _is_active(run), run.info.run_id))

    def remove(run: Run, first: Run) -> None:
        if _is_active(run):
            client.set_tag(run.info.run_id, DUPLICATE_TAG, first.info.run_id)
            client.set_terminated(run.info.run_id, "KILLED")
            with _if_allowed():
                client.delete_run(run.info.run_id)

    return Once(find, remove)


def once_model(client: MlflowClient, experiment: str, tag: str, value: str, known: str = "") -> Once[LoggedModel]:
    """The logged model with this tag. known: the id of the one that counts."""

    def find() -> list[LoggedModel]:
        found = client.search_logged_models([experiment], f"tags.`{tag}` = '{value}'")
        return sorted(found, key=lambda one: (one.model_id != known, one.creation_timestamp, one.model_id))

    def remove(model: LoggedModel, _: LoggedModel) -> None:
        with _if_allowed():
            client.delete_logged_model(model.model_id)

    return Once(find, remove)


def _is_active(run: Run) -> bool:
    return bool(run.info.lifecycle_stage == "active")


def _is_removed(run: Run) -> bool:
    return DUPLICATE_TAG in run.data.tags and run.info.end_time is not None


@contextlib.contextmanager
def _if_allowed() -> Iterator[None]:
    """Who may write to a server may not always delete there; what is gone already is as it should be."""
    try:
        yield
    except MlflowException as error:
        if status_of(error) not in (403, 404):
            raise
