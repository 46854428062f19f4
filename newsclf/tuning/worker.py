"""What one process does for a sweep: it runs trials, each a child `mlflow run`, until every slot is settled."""

import contextlib
import math
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from newsclf.config import SweepConfig
from newsclf.config.options import as_text
from newsclf.errors import InputError
from newsclf.progress import Update
from newsclf.tracking.children.runs import Child, create_run, ensure_ended, nest, runs_tagged, start
from newsclf.tracking.run import Run
from newsclf.tracking.runs import LoggedRun, metric_points
from newsclf.tuning.space import Space
from newsclf.tuning.study import Claimed, Trials
from newsclf.tuning.table import trial_rows

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_CALLS = 10.0  # to the sweep's storage, for what other machines do
SWEEP_TAG, PLACE_TAG, TRIAL_TAG = "newsclf.sweep", "newsclf.sweep_place", "newsclf.trial"


@dataclass
class RunningTrial:
    """A trial whose run is going on."""

    claimed: Claimed
    child: Child
    began: float
    reported: int = 0  # epochs that the pruner was told of
    pruned: str = ""  # why it was stopped early


@dataclass
class SweepWorker:
    """What this process does for the sweep."""

    config: SweepConfig
    space: Space
    trials: Trials
    name: str
    run: Run
    folder: Path
    lock: int
    running: list[RunningTrial] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # that trials took

    @property
    def place(self) -> str:
        """Whose trials these are: this machine's, in this folder."""
        return f"{socket.gethostname()}:{self.folder}"

    def adopt_earlier(self) -> None:
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

    def run_trials(self, update: Update) -> None:
        """Run trials until every slot is settled."""
        unsettled = self.trials.unsettled()
        if done := self.trials.slots - unsettled:
            update(done, self._note(unsettled))
        called = time.monotonic()
        try:
            while True:
                while len(self.running) < self.config.parallel and (claimed := self.trials.claim(place=self.place)):
                    self._start(claimed)
                if not self.running and not unsettled:
                    return
                time.sleep(SECONDS_BETWEEN_LOOKS)
                ended = [trial for trial in self.running if trial.child.ended()]
                for trial in ended:
                    self._settle(trial)
                for trial in self.running:
                    self._watch(trial)
                if ended or time.monotonic() - called > SECONDS_BETWEEN_CALLS:
                    called, before = time.monotonic(), unsettled
                    unsettled = self.trials.unsettled()
                    for trial in self.running:
                        self.trials.alive(trial.claimed)
                    if before != unsettled:
                        update(before - unsettled, self._note(unsettled))
        finally:
            self._stop_all()

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
            self.run,
            run_id,
            "train",
            options,
            log,
            threads=threads_for_each(self.config.parallel),
            also_held=(self.lock,),
        )
        self.running.append(RunningTrial(claimed, child, time.monotonic()))
        settings = " ".join(f"{name}={value}" for name, value in claimed.settings.items())
        print(f"{label}: {settings} (run {run_id})", flush=True)

    def _watch(self, trial: RunningTrial) -> None:
        """Tell the pruner of new epochs, and stop the trial if it says so."""
        if self.config.pruner == "none" or trial.pruned:
            return
        try:
            found = metric_points(trial.child.run_id, self.config.watch)
        except Exception:  # a server that is away for a moment, a journal that was just sent: the next look is soon
            return
        for point in found[trial.reported :]:
            trial.reported += 1
            stop = math.isfinite(point.value) and self.trials.report(trial.claimed, point.value, trial.reported)
            if stop:
                trial.pruned = f"after epoch {trial.reported}, at {self.config.watch} {point.value:.4g}"
                trial.child.stop()
                return

    def _settle(self, trial: RunningTrial) -> None:
        """Record how a trial has ended."""
        self.running.remove(trial)
        number, label = trial.claimed.trial.number, f"trial {trial.claimed.slot + 1}"
        seconds = time.monotonic() - trial.began
        trial.claimed.trial.set_user_attr("seconds", seconds)
        tags = {"pruned": trial.pruned} if trial.pruned else {}
        reason = f"it ended without a word: {trial.child.last_line()}"
        run = ensure_ended(trial.child.run_id, "KILLED" if trial.pruned else "FAILED", reason, **tags)
        if run.info.status == "FINISHED":
            self._complete(number, run)
            self.seconds.append(seconds)
            return
        if trial.pruned:
            self.trials.prune(number)
            self.seconds.append(seconds)
            print(f"{label}: stopped {trial.pruned}", flush=True)
            return
        reason = run.data.tags.get("newsclf.failure", reason)
        self.trials.fail(number, reason)
        print(f"{label}: failed: {reason}; {trial.child.log} has all it said", flush=True)

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
        for trial in self.running:
            trial.child.stop()
        for trial in self.running:
            trial.child.wait()
            with contextlib.suppress(Exception):  # else the next start of the sweep finds out
                self._settle_stopped(trial.claimed.trial.number, trial.child.run_id)

    def _note(self, unsettled: int) -> str:
        """The best trial so far, and the time left."""
        found = trial_rows(self.trials.by_slot(), self.space.names, self.trials.lowest)
        parts = []
        if found and found[0].value is not None:
            parts.append(f"best {self.config.aim} {found[0].value:.4f} (trial {found[0].trial})")
        if self.seconds and unsettled:
            left = sum(self.seconds) / len(self.seconds) * math.ceil(unsettled / self.config.parallel)
            parts.append(f"about {_spoken(left)} left")
        return ", ".join(parts)


def threads_for_each(parallel: int) -> int | None:
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
