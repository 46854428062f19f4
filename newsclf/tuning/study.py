"""A sweep's trials in Optuna's storage, so that a sweep goes on where it was, and on several machines.

Every trial that is wanted has a slot: a row of a list or grid, or a draw. A slot's attempts are Optuna trials with
its number; it is settled by one that is complete or pruned, or by failures that have used up the retries. What was
broken off (the sweep was killed, the machine has gone) is no failure: the slot is simply tried again.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from newsclf.config import SweepConfig
from newsclf.tuning.space import Space, identity, loss_like, lowest_is_best
from newsclf.tuning.storage import open_study, quiet

SLOT, FAILURE = "slot", "failure"  # attributes of a trial; one that has failed without a failure was broken off
LIVE = (TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)


@dataclass
class Claimed:
    """A trial that this process runs, and the settings that differ in it, as text."""

    trial: Trial
    slot: int
    settings: dict[str, str]


class Trials:
    """All trials of one sweep."""

    def __init__(self, config: SweepConfig, space: Space, name: str, file: str) -> None:
        """Open the study `name`, or make it; file: the SQLite file where no storage is given.

        Raises InputError where the storage cannot be used, or holds another sweep of this name.
        """
        self.config, self.space = config, space
        self.lowest = lowest_is_best(config)
        self.slots = config.trials if space.rows is None else len(space.rows)
        self.storage, self.study = open_study(config, name, file, self.lowest, identity(config, space))
        self.study.pruner = _pruner(config)

    def all(self) -> list[FrozenTrial]:
        return [trial for trial in self.study.get_trials(deepcopy=False) if SLOT in trial.user_attrs]

    def by_slot(self) -> dict[int, list[FrozenTrial]]:
        """Attempts of each slot, the oldest first."""
        found: dict[int, list[FrozenTrial]] = {slot: [] for slot in range(self.slots)}
        for trial in self.all():
            found.setdefault(trial.user_attrs[SLOT], []).append(trial)
        return found

    def settled(self, attempts: list[FrozenTrial]) -> bool:
        if any(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in attempts):
            return True
        return not any(trial.state in LIVE for trial in attempts) and failures(attempts) > self.config.retries

    def unsettled(self) -> int:
        """How many slots are not settled yet."""
        with quiet():
            optuna.storages.fail_stale_trials(self.study)  # of machines that have not been heard of for a while
        by_slot = self.by_slot()
        return sum(not self.settled(by_slot[slot]) for slot in range(self.slots))

    def claim(self, **notes: Any) -> Claimed | None:
        """The first slot that nobody is at, which from now on is this process's own; None where there is none.

        notes: attributes of the trial, for who finds it later.
        """
        while self._enqueue():
            with quiet():
                trial = self.study.ask()
            self.storage.record_heartbeat(trial._trial_id)
            for key, value in notes.items():
                trial.set_user_attr(key, value)
            slot = trial.user_attrs.get(SLOT)
            # Two machines may have put the same slot in the queue, or asked for the last trial in it.
            if slot is None or slot >= self.slots or self._is_second(slot, trial.number):
                self.study.tell(trial, state=TrialState.FAIL)
                continue
            self.study.sampler = _sampler(self.config, slot)
            settings = {name: as_text(trial._suggest(name, self._distribution(name))) for name in self.space.names}
            return Claimed(trial, slot, settings)
        return None

    def _enqueue(self) -> bool:
        """See to it that the queue holds a trial; False where there is none to run."""
        if self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return True
        by_slot = self.by_slot()
        for slot in range(self.slots):
            attempts = by_slot[slot]
            if not self.settled(attempts) and not any(trial.state in LIVE for trial in attempts):
                drawn = attempts[-1].params if attempts else {}
                params = self.space.rows[slot] if self.space.rows is not None else drawn
                self.study.enqueue_trial(params, user_attrs={SLOT: slot})
                return True
        return False

    def _is_second(self, slot: int, number: int) -> bool:
        others = self.by_slot().get(slot, [])
        return any(other.number < number and other.state in LIVE for other in others)

    def alive(self, claimed: Claimed) -> None:
        """Say that this process still runs it; at least every HEARTBEAT_SECONDS."""
        self.storage.record_heartbeat(claimed.trial._trial_id)

    def report(self, claimed: Claimed, value: float, step: int) -> bool:
        """Tell of the watched metric after epoch `step`; whether the trial should be stopped."""
        # A pruner takes low values for good ones exactly where the study does.
        flipped = loss_like(self.config.watch) != self.lowest
        claimed.trial.report(-value if flipped else value, step)
        return claimed.trial.should_prune()

    def complete(self, number: int, value: float) -> None:
        self.study.tell(number, value)

    def prune(self, number: int) -> None:
        self.study.tell(number, state=TrialState.PRUNED)

    def fail(self, number: int, reason: str) -> None:
        """An attempt that counts: it used up one of the retries."""
        self.storage.set_trial_user_attr(self._id(number), FAILURE, reason[:1000])
        self.study.tell(number, state=TrialState.FAIL)

    def break_off(self, number: int) -> None:
        """An attempt that does not count: it was stopped along with the sweep."""
        self.study.tell(number, state=TrialState.FAIL)

    def running(self) -> list[FrozenTrial]:
        return [trial for trial in self.all() if trial.state == TrialState.RUNNING]

    def importances(self) -> dict[str, float]:
        """Share of each option in what is good (PED-ANOVA, Watanabe et al. 2023); {} where too little is known."""
        done = [trial for trial in self.all() if trial.state == TrialState.COMPLETE]
        if len(done) < 4 or len({trial.value for trial in done}) < 2:
            return {}
        try:
            with quiet():
                found = optuna.importance.get_param_importances(self.study)
        except (ValueError, RuntimeError):
            return {}
        return {name: share for name, share in found.items() if math.isfinite(share)}

    def _id(self, number: int) -> int:
        return self.storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)

    def _distribution(self, name: str) -> BaseDistribution:
        if part := self.space.ranges.get(name):
            if part.whole:
                return IntDistribution(int(part.low), int(part.high), log=part.log, step=int(part.step or 1))
            return FloatDistribution(part.low, part.high, log=part.log, step=part.step)
        return CategoricalDistribution(self.space.values[name])


def failures(attempts: list[FrozenTrial]) -> int:
    return sum(FAILURE in trial.user_attrs for trial in attempts)


def _pruner(config: SweepConfig) -> BasePruner:
    if config.pruner == "median":
        return MedianPruner(n_startup_trials=config.startup_trials)
    if config.pruner == "halving":
        return SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    return NopPruner()


def _sampler(config: SweepConfig, slot: int) -> BaseSampler:
    """A sampler of the slot's own: what is drawn does not hang on how often the sweep was started before."""
    seed = int(np.random.SeedSequence((config.seed, slot)).generate_state(1)[0])
    if config.strategy == "bayesian":
        return TPESampler(seed=seed, n_startup_trials=config.startup_trials)
    return RandomSampler(seed=seed)


def as_text(value: Any) -> str:
    """A drawn value as it is typed for train."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
