"""A journal's run sent to its server, so that the server holds each record once, however often it is sent.

What the server has got is kept beside the journal after every request. A request whose answer was lost is sent again:
the run and its models are looked for by a tag before they are made, a metric point is its own key on the server, and
all else replaces what is there.
"""

from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from newsclf.tracking.journal.records import RECORDS, Records, translated
from newsclf.tracking.journal.store import ENDED, Journal
from newsclf.tracking.server import address_of, experiment_of

JOURNAL_TAG = "newsclf.journal"


class RunUpload:
    """What is sent of one journal, and what is not yet. Its methods raise what MLflow's client raises."""

    def __init__(self, journal: Journal, server: str) -> None:
        self.journal, self.server = journal, server
        self.client = MlflowClient(server, server)
        self.sent = journal.sent

    def create_remote_run(self) -> None:
        """Make the run on the server, if it is not there."""
        if self.sent.run_id:
            return
        note = self.journal.note
        experiment = experiment_of(self.client, note["experiment"], note["experiment_id"])
        mine = f"tags.`{JOURNAL_TAG}` = '{self.journal.id}'"
        found = list(self.client.search_runs([experiment], mine, ViewType.ALL, max_results=1))
        if not found:
            run = self._run()
            tags = {name: translated(text, {}) for name, text in run.data.tags.items()} | {JOURNAL_TAG: self.journal.id}
            found = [self.client.create_run(experiment, run.info.start_time, tags, run.info.run_name)]
        self.sent.keep(run_id=found[0].info.run_id, experiment_id=experiment, server=address_of(self.server))

    def send_pending(self) -> Iterator[int]:
        """Send all that is there now, a request at a time; yields the number of records in each."""
        run = self._run()  # read first: nothing is added to a run that has ended
        self.create_remote_run()
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

    def _run(self) -> Run:
        return MlflowClient(self.journal.uri).get_run(self.journal.run["run_uuid"])

    def _records(self, run: Run) -> list[Records]:
        return [kind(self.journal, run, self.sent, self.client) for kind in RECORDS]
