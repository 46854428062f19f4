"""A call of retrain: its options, its folder, its children, and what is known of the attempt before it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsclf.config import RetrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.config.shared import BatchOptions, ComputeOptions
from newsclf.files import read_json
from newsclf.monitoring.batches import location_of
from newsclf.retraining.policy import LastAttempt
from newsclf.tracking.artifacts.trained_model import TrainedModel
from newsclf.tracking.children.runs import ensure_ended, run_to_end, runs_tagged
from newsclf.tracking.run import Run
from newsclf.tracking.runs import LoggedRun

# Tags of a run: of every run of a folder, and what a champion's run was trained and tested on.
PLACE, STREAM, ONSET, UNTIL, ROWS, TESTS = (
    f"newsclf.retrain_{name}" for name in ("place", "stream", "onset", "until", "rows", "tests")
)
FOR_MONITOR = names_of(BatchOptions) + names_of(ComputeOptions)


@dataclass(frozen=True)
class RetrainContext:
    """This call: its options, its run, its folder and the lock on it, and the champion as it found it."""

    config: RetrainConfig
    run: Run
    folder: Path
    lock: int
    champion: TrainedModel

    @property
    def stream(self) -> str:
        """The stream in full."""
        return location_of(self.config.stream)

    @property
    def refusal(self) -> Path:
        """The file that says which model was refused, for the next call."""
        return self.folder / "refused.json"

    def adopt_earlier(self) -> None:
        """What a call that was killed has left does not stay RUNNING; none is alive, as this one has the folder."""
        for before in runs_tagged(self.run.experiment_id, PLACE, str(self.folder)):
            if before.info.run_id != self.run.id and before.info.status == "RUNNING":
                ensure_ended(before.info.run_id, "KILLED", f"killed; run {self.run.id} goes on")
        self.run.tag({PLACE: str(self.folder)})

    def run_child(self, verb: str, name: str, options: Mapping[str, Any], log: Path) -> LoggedRun:
        """Run a verb to its end, as a run below this one."""
        print(f"{name}: {log}", flush=True)
        return run_to_end(self.run, verb, name, options, log, {PLACE: str(self.folder)}, also_held=(self.lock,))

    def monitor_options(self) -> dict[str, Any]:
        """Of the stream, with the champion's reference; what was judged by it before is not judged again."""
        texts = as_text(self.config)
        return {name: texts[name] for name in FOR_MONITOR} | {
            "stream": self.config.stream,
            "reference": self.champion.uri,
            "seed": self.champion.config.seed,
            "output_dir": self.folder / "monitor",
        }

    def last_attempt(self) -> LastAttempt:
        """One that was refused (this folder knows it), or the one that made the champion."""
        refused = read_json(self.refusal)
        if refused.get("champion") == self.champion.uri:
            return LastAttempt(**{field.name: refused[field.name] for field in dataclasses.fields(LastAttempt)})
        tags = self.champion.run.data.tags
        if tags.get(STREAM) != self.stream:
            return LastAttempt()
        return LastAttempt(tags[ONSET], tags[UNTIL], int(tags[ROWS]), learning=True)
