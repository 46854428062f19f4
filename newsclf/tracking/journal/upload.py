"""A journal's run sent to its server, so that the server holds each record once, however often it is sent.

What the server has got is kept beside the journal after every request, once the server, asked again, has shown it: a
yes may come from something in between. A request whose answer was lost is sent again: the run and its models are looked
for by a tag before they are made and after (see once.py), a metric point is its own key on the server, and all else
replaces what is there.
"""

import threading
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from newsclf.tracking.journal.records import JOURNAL_TAG, RECORDS, Records, translated
from newsclf.tracking.journal.sent import Sent
from newsclf.tracking.journal.store import ENDED, Journal
from newsclf.tracking.once import once_run
from newsclf.tracking.server import NotStored, address_of, experiment_of


class RunUpload:
    """What is sent of one journal, and what is not yet. Its methods raise what MLflow's client raises."""

    def __init__(self, journal: Journal, server: str) -> None:
        self.journal, self.server = journal, server
        self.client = MlflowClient(server, server)
        self.sent = journal.sent
        self._making = threading.Lock()  # the first contact may be under way still when the sender begins

    def remote_run(self, deleted: str = "") -> Run:
        """The run on the server, made if it is not there; nothing is noted of it here. deleted: an id not to take."""
        with self._making:
            for known in dict.fromkeys((self.sent.run_id, self.journal.run["run_uuid"])):
                # An id that is not the journal's own is one that a server has given; its note may have been lost.
                if known not in ("", deleted, self.journal.id) and (found := self._found(known)):
                    return found
            note, run = self.journal.note, self._run()
            # A number means something on its own server alone.
            moved = "" if same_server(self.sent.server, self.server) else self.sent.experiment
            number = "" if moved else note["experiment_id"]
            experiment = experiment_of(self.client, note["experiment"] or moved, number)
            tags = {name: translated(text, {}) for name, text in run.data.tags.items()}
            tags |= {JOURNAL_TAG: self.journal.id}
            return once_run(self.client, experiment, JOURNAL_TAG, self.journal.id).made(
                lambda: self.client.create_run(experiment, run.info.start_time, tags, run.info.run_name)
            )

    def create_remote_run(self) -> None:
        """Make the run on the server, if it is not there.

        What was sent to another server is sent to this one from the start, unless it is the same that has moved.
        """
        if self.sent.run_id and self.sent.experiment_id and same_server(self.sent.server, self.server):
            return
        there = self.remote_run()
        if there.info.run_id != self.sent.run_id:
            self.sent = Sent(self.sent.path)
        about = {"run_id": there.info.run_id, "experiment_id": there.info.experiment_id}
        self.sent.keep(**about, server=address_of(self.server))

    def send_pending(self) -> Iterator[int]:
        """Send all that is there now, a request at a time; yields the number of records in each."""
        run = self._run()  # read first: nothing is added to a run that has ended
        self.create_remote_run()
        if not self.sent.experiment:
            self.sent.keep(experiment=self.client.get_experiment(self.sent.experiment_id).name)
        if self.sent.ended and run.info.status not in ENDED:
            self.client.update_run(self.sent.run_id, status=run.info.status)
            self.sent.keep(ended=None)
        for records in self._records(run):
            yield from records.send()

    @property
    def whole(self) -> bool:
        """Whether the run has ended and the server has all of it."""
        return self.journal.run["status"] in ENDED and not self.waiting()

    def waiting(self) -> int:
        """Records that the server has not got."""
        return sum(records.waiting() for records in self._records(self._run()))

    def is_deleted(self) -> bool:
        """Whether the server had the run, and has it not any more, or among what was deleted."""
        if not self.sent.run_id or not same_server(self.sent.server, self.server):
            return False
        found = self._found(self.sent.run_id)
        return found is None or found.info.lifecycle_stage != "active"

    def _run(self) -> Run:
        return MlflowClient(self.journal.uri).get_run(self.journal.run["run_uuid"])

    def _found(self, run_id: str) -> Run | None:
        """None where the server has no such run."""
        try:
            found = self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        if found.info.run_id != run_id:
            raise NotStored("it has answered with something else than the run that it was asked for")
        return found

    def _records(self, run: Run) -> list[Records]:
        return [kind(self.journal, run, self.sent, self.client) for kind in RECORDS]


def same_server(one: str, other: str) -> bool:
    """Whether both URLs, either of which may be unknown (""), are of one server, whoever logs in.

    >>> same_server("https://me:secret@mlflow.example.org/", "https://mlflow.example.org")
    True
    """
    return not one or not other or address_of(one) == address_of(other)
