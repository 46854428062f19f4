"""What came of a retraining: the plan, what was trained and tested, what the gate decided."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from newsclf.retraining.policy import LABEL, MEND, NOTHING, JudgedBatch, Plan, retrainable
from newsclf.retraining.training_rows import TrainingRows

PROMOTED = "promoted"


@dataclass
class RetrainingOutcome:
    """What happened, as far as it came.

    rows: what a new challenger was trained on; tested: rows of the new test; promotion: the run of promote;
    challenger: see tracking/artifacts/trained_model.py.
    """

    champion: str
    stream: str
    batches: Sequence[JudgedBatch]
    plan: Plan = field(default_factory=lambda: Plan(NOTHING, ""))
    rows: TrainingRows | None = None
    tested: int = 0
    challenger: Any = None
    promotion: Any = None
    to_label: pd.DataFrame | None = None

    @property
    def decision(self) -> str:
        """nothing, mend, label, or what the gate said: promoted, refused, overtaken."""
        return self.promotion.data.tags["newsclf.decision"] if self.promotion else self.plan.action

    @property
    def conclusion(self) -> str:
        """What was decided, and why, in a sentence or two."""
        if self.promotion:
            reason = self.promotion.data.tags["newsclf.reason"]
            verb = "is champion now" if self.decision == PROMOTED else f"was {self.decision}"
            return f"{self.challenger.uri} {verb}: {reason}."
        if self.decision == LABEL:
            count = 0 if self.to_label is None else len(self.to_label)
            wanted = f"the {count:,} texts most worth it are in to_label.csv" if count else "the stream keeps no texts"
            return f"{self.champion} stays, there are too few labels for a new model: {wanted}. {self.plan.reason}"
        why = {MEND: "it is the feed that is wrong", NOTHING: "nothing was trained"}[self.decision]
        return f"{self.champion} stays, {why}. {self.plan.reason}"

    def metrics(self) -> dict[str, float]:
        """The numbers of the run of retrain, by the names under which they are logged."""
        metrics: dict[str, float] = {
            "batches": len(self.batches),
            "batches_drifted": sum(bool(retrainable(batch.verdict)) for batch in self.batches),
            "trained": float(self.rows is not None),
            "promoted": float(self.decision == PROMOTED),
            "to_label": 0 if self.to_label is None else len(self.to_label),
        }
        if self.rows is not None:
            metrics |= {"rows/old": self.rows.old_rows, "rows/new": self.rows.new_rows}
        if self.tested:
            metrics["rows/test"] = self.tested
        return metrics | self.scores()

    def scores(self) -> dict[str, float]:
        """The gate's numbers; none where it was not asked."""
        names = ("old/", "new/", "latency")
        metrics = self.promotion.data.metrics if self.promotion else {}
        return {name: value for name, value in metrics.items() if name.startswith(names)}
