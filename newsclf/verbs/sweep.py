"""sweep: many runs of train, each a child `mlflow run`, from a list, a grid, at random, or led by earlier ones."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from newsclf.config import SweepConfig
from newsclf.config.options import as_text
from newsclf.errors import InputError
from newsclf.locks import held
from newsclf.progress import Update, progress
from newsclf.tracking.children.runs import Child, create_run, ensure_ended, nest, runs_tagged, start
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import LoggedRun, metric_points
from newsclf.tuning.space import Space, identity, read_space
from newsclf.tuning.storage import storage_url
from newsclf.tuning.study import Claimed, Trials
from newsclf.tuning.table import rows
from newsclf.verbs.sweep_results import report

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_CALLS = 10.0  # to the sweep's storage, for what other machines do
SWEEP_TAG, PLACE_TAG, TRIAL_TAG = "newsclf.sweep", "newsclf.sweep_place", "newsclf.trial"


def sweep(config: SweepConfig) -> dict[str, float]:
    """Run the trials that are not settled yet; the logged metrics by name. Raises InputError for bad input."""
    space = read_space(config)
    storage_url(config)
    if config.tracking == "offline":
        raise InputError("option tracking is offline: a sweep reads what its trials log from the tracking store")
    name = config.name or f"{config.strategy}-{hashlib.sha256(identity(config, space).encode()).hexdigest()[:10]}"
    if not re.fullmatch(r"[\w.-]{1,100}", name):
        raise InputError(f"option name is {name!r}: letters, digits, - _ and . make a name of at most 100 characters")
    folder = config.output_dir or f"outputs/sweep/{name}"
    with open_run("sweep", config, folder=folder) as run, held(run.folder) as lock:
        trials = Trials(config, space, name, str(run.folder / "study.db"))
        work = Work(config, space, trials, name, run, run.folder.resolve(), lock)
        work.take_over()
        with progress(f"sweep {name}", trials.slots, "trials") as update:
            work.work(update)
        return report(config, space, trials, run)


@dataclass
class Attempt:
    """A trial that is running."""

    claimed: Claimed
    child: Child
    began: float
    reported: int = 0  # epochs that the pruner was told of
    pruned: str = ""  # why it was stopped early


@dataclass
class Work:
    """What this process does for the sweep."""

    config: SweepConfig
    space: Space
    trials: Trials
    name: str
    run: Run
    folder: Path
    lock: int
    attempts: list[Attempt] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # that trials took

    @property
    def place(self) -> str:
        """Whose trials these are: this machine's, in this folder."""
        return f"{socket.gethostname()}:{self.folder}"

    def take_over(self) -> None:
        """What an earlier process of this place has left: its runs are nested under this one, and none is RUNNING."""
        self.run.tag({SWEEP_TAG: self.name, PLACE_TAG: self.place})
        for earlier in runs_tagged(self.run.experiment_id, SWEEP_TAG, self.name):
            if earlier.data.tags.get(PLACE_TAG) != self.place or earlier.info.run_id == self.run.id:
                continue
            if TRIAL_TAG not in earlier.data.tags:  # not a trial: the run of a sweep
                ensure_ended(earlier.info.run_id, "FAILED", f"killed; run {self.run.id} goes on with the sweep")
            else:
                ensure_ended(earlier.info.run_id, "KILLED", "stopped along with the sweep")
                nest(earlier.info.run_id, self.run)
        for trial in self.trials.running():
            if trial.user_attrs.get("place") == self.place:
                self._settle_stopped(trial.number, trial.user_attrs.get("run_id", ""))

    def work(self, update: Update) -> None:
        """Run trials until every slot is settled."""
        unsettled = self.trials.unsettled()
        if done := self.trials.slots - unsettled:
            update(done, self._note(unsettled))
        called = time.monotonic()
        try:
            while True:
                while len(self.attempts) < self.config.parallel and (claimed := self._claim()):
                    self._start(claimed)
                if not self.attempts and not unsettled:
                    return
                time.sleep(SECONDS_BETWEEN_LOOKS)
                ended = [attempt for attempt in self.attempts if attempt.child.ended()]
                for attempt in ended:
                    self._settle(attempt)
                for attempt in self.attempts:
                    self._watch(attempt)
                if ended or time.monotonic() - called > SECONDS_BETWEEN_CALLS:
                    called, before = time.monotonic(), unsettled
                    unsettled = self.trials.unsettled()
                    for attempt in self.attempts:
                        self.trials.alive(attempt.claimed)
                    if before != unsettled:
                        update(before - unsettled, self._note(unsettled))
        finally:
            self._stop_all()

    def _claim(self) -> Claimed | None:
        return self.trials.claim(place=self.place)

    def _start(self, claimed: Claimed) -> None:
        label, trial = f"trial {claimed.slot + 1}", claimed.trial
        tags = {SWEEP_TAG: self.name, PLACE_TAG: self.place, TRIAL_TAG: str(claimed.slot + 1)}
        run_id = create_run(self.run, "train", label, tags)
        trial.set_user_attr("run_id", run_id)
        output = self.folder / "trials" / f"{claimed.slot + 1:04d}-{trial.number}"
        options = {**self.space.fixed, **claimed.settings, "output_dir": output}
        options["send_timeout"] = as_text(self.config)["send_timeout"]
        log = output.with_suffix(".log")
        child = start(
            self.run, run_id, "train", options, log, threads=threads(self.config.parallel), also_held=(self.lock,)
        )
        self.attempts.append(Attempt(claimed, child, time.monotonic()))
        settings = " ".join(f"{name}={value}" for name, value in claimed.settings.items())
        print(f"{label}: {settings} (run {run_id})", flush=True)

    def _watch(self, attempt: Attempt) -> None:
        """Tell the pruner of new epochs, and stop the trial if it says so."""
        if self.config.pruner == "none" or attempt.pruned:
            return
        try:
            found = metric_points(attempt.child.run_id, self.config.watch)
        except Exception:  # a server that is away for a moment, a journal that was just sent: the next look is soon
            return
        for point in found[attempt.reported :]:
            attempt.reported += 1
            stop = math.isfinite(point.value) and self.trials.report(attempt.claimed, point.value, attempt.reported)
            if stop:
                attempt.pruned = f"after epoch {attempt.reported}, at {self.config.watch} {point.value:.4g}"
                attempt.child.stop()
                return

    def _settle(self, attempt: Attempt) -> None:
        """Record how a trial has ended."""
        self.attempts.remove(attempt)
        number, label = attempt.claimed.trial.number, f"trial {attempt.claimed.slot + 1}"
        seconds = time.monotonic() - attempt.began
        attempt.claimed.trial.set_user_attr("seconds", seconds)
        tags = {"pruned": attempt.pruned} if attempt.pruned else {}
        reason = f"it ended without a word: {attempt.child.last_line()}"
        run = ensure_ended(attempt.child.run_id, "KILLED" if attempt.pruned else "FAILED", reason, **tags)
        if run.info.status == "FINISHED":
            self._complete(number, run)
            self.seconds.append(seconds)
            return
        if attempt.pruned:
            self.trials.prune(number)
            self.seconds.append(seconds)
            print(f"{label}: stopped {attempt.pruned}", flush=True)
            return
        reason = run.data.tags.get("newsclf.failure", reason)
        self.trials.fail(number, reason)
        print(f"{label}: failed: {reason}; {attempt.child.log} has all it said", flush=True)

    def _settle_stopped(self, number: int, run_id: str) -> None:
        """Record how a trial has ended that nobody has waited for: it may have been done."""
        run = ensure_ended(run_id, "KILLED", "stopped along with the sweep") if run_id else None
        if run is not None and run.info.status == "FINISHED":
            self._complete(number, run)
        else:
            self.trials.break_off(number)

    def _complete(self, number: int, run: LoggedRun) -> None:
        value = aim_of(run, self.config.aim)
        if math.isfinite(value):
            self.trials.complete(number, value)
        else:
            self.trials.fail(number, f"{self.config.aim} is {value}")

    def _stop_all(self) -> None:
        for attempt in self.attempts:
            attempt.child.stop()
        for attempt in self.attempts:
            attempt.child.wait()
            with contextlib.suppress(Exception):  # else the next start of the sweep finds out
                self._settle_stopped(attempt.claimed.trial.number, attempt.child.run_id)

    def _note(self, unsettled: int) -> str:
        """The best trial so far, and the time left."""
        found = rows(self.trials.by_slot(), self.space.names, self.trials.lowest)
        parts = []
        if found and found[0].value is not None:
            parts.append(f"best {self.config.aim} {found[0].value:.4f} (trial {found[0].trial})")
        if self.seconds and unsettled:
            left = sum(self.seconds) / len(self.seconds) * math.ceil(unsettled / self.config.parallel)
            parts.append(f"about {_spoken(left)} left")
        return ", ".join(parts)


def threads(parallel: int) -> int | None:
    """Threads for each of `parallel` trials; None where one has them all, as train by itself."""
    if parallel == 1:
        return None
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, (int(allowed) if allowed.isdigit() else here) // parallel)


def aim_of(run: LoggedRun, aim: str) -> float:
    """The run's `aim`; of one that is logged by epoch its value at the epoch whose weights were kept.

    Raises InputError where the run has logged no such metric.
    """
    if aim not in run.data.metrics:
        there = ", ".join(sorted(run.data.metrics))
        raise InputError(f"option aim is {aim}: run {run.info.run_id} has logged no such metric, but {there}")
    series = metric_points(run.info.run_id, aim)
    kept, epochs = run.data.metrics.get("kept_epoch"), run.data.metrics.get("epochs_run")
    if kept is not None and len(series) > 1 and len(series) == epochs:
        return float(series[int(kept) - 1].value)
    return float(series[-1].value)


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
