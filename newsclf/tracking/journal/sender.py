"""A run sent to its server while it is being made: a thread, which nothing waits for until the run has ended."""

import contextlib
import threading
from collections.abc import Iterator

from newsclf.errors import Stopped
from newsclf.tracking.journal.store import ENDED, Journal, journals, taken
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.server import Trouble, address_of, trouble

PAUSE = 0.5  # seconds between two looks into the journal
LONGEST_PAUSE, LONGEST_AT_THE_END = 15.0, 2.0  # and between two attempts while the server is away


def send_rest(journal: Journal, server: str) -> Iterator[int]:
    """Send what is left of a run whose process has ended, and remove its journal; yields the records of each request.

    The caller holds the journal's lock. Raises what MLflow's client raises.
    """
    if journal.run["status"] not in ENDED:
        journal.end_as_lost()
    upload = RunUpload(journal, server)
    yield from upload.send_pending()
    if upload.whole:
        journal.remove()


class Sender(threading.Thread):
    """Sends one run, and in its spare time what earlier ones have left."""

    def __init__(self, upload: RunUpload) -> None:
        super().__init__(name="newsclf-sender", daemon=True)
        self.upload = upload
        self.trouble: Trouble | None = None
        self.ending, self.woken = threading.Event(), threading.Event()

    def run(self) -> None:
        pause, earlier = PAUSE, self._earlier()
        while True:
            try:
                for _ in self.upload.send_pending():
                    pause = PAUSE
                self.trouble = None
                done = self.ending.is_set() and self.upload.whole
                if next(earlier, 0):
                    continue
                if done:
                    return
            except Exception as error:
                found = trouble(error)
                if self.ending.is_set() and found.lasting and found == self.trouble:
                    return
                self.trouble, pause = found, min(2 * pause, LONGEST_PAUSE)
            self.woken.wait(min(pause, LONGEST_AT_THE_END) if self.ending.is_set() else pause)
            self.woken.clear()

    def end(self, seconds: float) -> None:
        """The run has ended: wait until it is sent, `seconds` at the most, or until the user has had enough."""
        self.ending.set()
        self.woken.set()
        with contextlib.suppress(Stopped):
            self.join(seconds)

    def _earlier(self) -> Iterator[int]:
        for journal in journals():
            if address_of(journal.note.get("server", "")) == address_of(self.upload.server):
                with contextlib.suppress(Exception), taken(journal) as held:  # sync says what is the matter
                    if held:
                        yield from send_rest(journal, self.upload.server)
