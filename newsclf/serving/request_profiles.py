"""What a served model is asked, as one profile an hour and process: the columns of `profile`, and no text.

Texts are held in memory until a thread of their own has counted them, some seconds at the most: a request waits for
none of it.
"""

import atexit
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.drift import load_reference
from newsclf.drift.predictor import KnownPredictor
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.writers import check_destination, write

FLUSH_SECONDS = 10.0
ROWS_AT_ONCE = 512  # what is counted in one go: of single rows, a data frame costs more than what is in it
MAX_WAITING = 20_000  # rows; then requests wait, so that memory stays flat


class RequestProfiles:
    """Counts texts and their probabilities into `<destination>/requests_<hour, UTC>_<host>-<process>-<start>.bin`.

    reference: the folder of the one that train logged with the model. classes: in the order of the probabilities.
    destination: a folder or an s3:// URI. A file is replaced by a whole one, every FLUSH_SECONDS while requests come,
    at the end of its hour, and when the process ends (SIGTERM as well). Raises InputError for a destination that
    cannot be written.
    """

    def __init__(self, reference: Path, classes: tuple[str, ...], destination: str) -> None:
        self._known = KnownPredictor("the served model", classes)
        self._reference = load_reference(reference, self._known)
        check_destination(destination)
        self._destination = destination.rstrip("/")
        self._process = f"{socket.gethostname().split('.')[0]}-{os.getpid()}-{int(time.time())}"
        self._waiting: list[tuple[datetime, Sequence[str], np.ndarray]] = []
        self._rows = 0
        # A handler of signals may come in between the lines of its own thread: all locks can be taken twice.
        self._changed = threading.Condition(threading.RLock())
        self._counting = threading.RLock()  # around all that follows
        self._hour: datetime | None = None
        self._profile: TextProfile | None = None
        self._unwritten = False
        self._ended = False
        if "://" not in self._destination:
            Path(self._destination).expanduser().mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Count in the background from now on, and write at the end of the process."""
        threading.Thread(target=self._work, daemon=True, name="request profiles").start()
        atexit.register(self.end)
        with contextlib.suppress(ValueError):  # not in the main thread: its owner sees to signals
            self._before_sigterm()

    def add(self, texts: Sequence[str], probabilities: np.ndarray) -> None:
        """Note a request: texts and their probabilities [texts, classes]."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows < MAX_WAITING or self._ended)
            self._waiting.append((datetime.now(UTC), texts, probabilities))
            self._rows += len(texts)
            if self._rows >= ROWS_AT_ONCE:
                self._changed.notify_all()
        if self._ended:  # the process ends when the last request is answered
            self.flush()

    def flush(self) -> None:
        """Count all that waits, and write it."""
        with self._counting:
            self._count(self._taken())
            self._write()

    def end(self) -> None:
        """Write all, and from now on with every request."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self.flush()

    def _work(self) -> None:
        written = time.monotonic()
        while not self._ended:
            with self._changed:
                self._changed.wait_for(lambda: self._rows >= ROWS_AT_ONCE or self._ended, timeout=FLUSH_SECONDS / 4)
            due = time.monotonic() - written >= FLUSH_SECONDS
            if self._rows < ROWS_AT_ONCE and not due:
                continue
            with self._counting:
                self._count(self._taken())
                if due:
                    self._write()
                    written = time.monotonic()

    def _taken(self) -> list[tuple[datetime, Sequence[str], np.ndarray]]:
        with self._changed:
            taken, self._waiting, self._rows = self._waiting, [], 0
            self._changed.notify_all()
        return taken

    def _count(self, requests: list[tuple[datetime, Sequence[str], np.ndarray]]) -> None:
        """Each request to the profile of its hour."""
        by_hour: dict[datetime, list[tuple[Sequence[str], np.ndarray]]] = {}
        for moment, texts, probabilities in requests:
            hour = moment.replace(minute=0, second=0, microsecond=0)
            by_hour.setdefault(hour, []).append((texts, probabilities))
        for hour, those in by_hour.items():
            if hour != self._hour:
                self._write()
                self._hour = hour
                self._profile = TextProfile(self._reference.id, self._reference.encoder_sha256, hour)
            assert self._profile is not None
            texts = [text for part, _ in those for text in part]
            self._known.set(texts, np.concatenate([part for _, part in those]))
            self._reference.read(texts).log_to(self._profile)
            self._unwritten = True

    def _write(self) -> None:
        if self._profile is None or self._hour is None or not self._unwritten:
            return
        try:
            write(self._profile, self._path(self._hour))
        except Exception as error:  # a full disk or a store that is away must not end the server; the next one may do
            print(f"newsclf: the profile of requests was not written: {error}", file=sys.stderr, flush=True)
            return
        self._unwritten = False

    def _path(self, hour: datetime) -> str:
        return f"{self._destination}/requests_{hour:%Y-%m-%dT%H}_{self._process}.bin"

    def _before_sigterm(self) -> None:
        """Write before the server's own handler ends the process without `atexit`, as uvicorn's does."""
        handler = signal.getsignal(signal.SIGTERM)

        def ended(number: int, frame: Any) -> None:
            self.end()
            if callable(handler):
                handler(number, frame)
            elif handler != signal.SIG_IGN:
                raise SystemExit(128 + number)

        signal.signal(signal.SIGTERM, ended)
