"""report.html of a retraining: what has drifted, what was tried, what was decided, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from newsclf.reports import page
from newsclf.reports.wording import clean, number
from newsclf.retraining.policy import LABEL, MEND, NOTHING, Plan, Watched, curable
from newsclf.retraining.training_rows import Rows

TEMPLATE = Path(__file__).parents[1] / "reports" / "templates" / "retraining.html.jinja"
STATES = {True: ("drift", "▲ drift"), False: ("no-drift", "● no drift"), None: ("not-judged", "○ not judged")}
PROMOTED = "promoted"


@dataclass
class Story:
    """What happened, as far as it came.

    rows: what a new challenger was trained on; tested: rows of the new test; promotion: the run of promote;
    challenger: see tracking/trained.py.
    """

    champion: str
    stream: str
    batches: Sequence[Watched]
    plan: Plan = field(default_factory=lambda: Plan(NOTHING, ""))
    rows: Rows | None = None
    tested: int = 0
    challenger: Any = None
    promotion: Any = None
    to_label: pd.DataFrame | None = None

    @property
    def outcome(self) -> str:
        """nothing, mend, label, or what the gate said: promoted, refused, overtaken."""
        return self.promotion.data.tags["newsclf.decision"] if self.promotion else self.plan.action

    @property
    def conclusion(self) -> str:
        """What was decided, and why, in a sentence or two."""
        if self.promotion:
            reason = self.promotion.data.tags["newsclf.reason"]
            verb = "is champion now" if self.outcome == PROMOTED else f"was {self.outcome}"
            return f"{self.challenger.uri} {verb}: {reason}."
        if self.outcome == LABEL:
            count = 0 if self.to_label is None else len(self.to_label)
            wanted = f"the {count:,} texts most worth it are in to_label.csv" if count else "the stream keeps no texts"
            return f"{self.champion} stays, there are too few labels for a new model: {wanted}. {self.plan.reason}"
        said = {MEND: "it is the feed that is wrong", NOTHING: "nothing was trained"}
        return f"{self.champion} stays, {said[self.outcome]}. {self.plan.reason}"

    def metrics(self) -> dict[str, float]:
        found: dict[str, float] = {
            "batches": len(self.batches),
            "batches_drifted": sum(bool(curable(batch.verdict)) for batch in self.batches),
            "trained": float(self.rows is not None),
            "promoted": float(self.outcome == PROMOTED),
            "to_label": 0 if self.to_label is None else len(self.to_label),
        }
        if self.rows is not None:
            found |= {
                "rows/old": self.rows.old_rows,
                "rows/new": self.rows.new_rows,
            }
        if self.tested:
            found["rows/test"] = self.tested
        return found | (self.scores() if self.promotion else {})

    def scores(self) -> dict[str, float]:
        """The gate's numbers."""
        names = ("old/", "new/", "latency")
        return {name: value for name, value in self.promotion.data.metrics.items() if name.startswith(names)}


def write_report(path: Path, story: Story, title: str) -> None:
    page.write(
        path,
        TEMPLATE,
        {},
        {},
        title=clean(title, 200),
        headline={
            "state": "no-drift" if story.outcome in (PROMOTED, NOTHING) else "drift",
            "badge": story.outcome,
            "sentence": clean(story.conclusion, 1500),
        },
        facts=page.facts_of({"champion": story.champion, "stream": story.stream, "batches": len(story.batches)}),
        drifted=clean(story.plan.reason, 1000),
        batches=[_batch(batch) for batch in story.batches],
        tried=[_tried(story)] if story.challenger is not None else [],
        scores=[(name, number(value)) for name, value in sorted(story.scores().items())] if story.promotion else [],
        to_label=[clean(text, 160) for text in story.to_label["text"]] if story.to_label is not None else [],
    )


def _batch(batch: Watched) -> dict[str, Any]:
    state, badge = STATES[batch.verdict["drifted"]]
    return {
        "name": clean(batch.name, 80),
        "state": state,
        "badge": badge,
        "labelled": f"{batch.labelled:,}",
        "sentence": clean(batch.verdict["sentence"], 400),
    }


def _tried(story: Story) -> str:
    rows, name = story.rows, story.challenger.uri
    if rows is None:
        return clean(
            f"{name}, which was trained for this drift and refused, was tested again, by {story.tested:,} new rows: "
            "those that were held out then, and those that were labelled since.",
            900,
        )
    said = (
        f"{name} was trained on {rows.new_rows:,} new rows, and on {rows.old_rows:,} that the champion was trained on; "
        f"the {story.tested:,} newest labelled rows were held out to test it."
    )
    if not rows.old_rows:
        said += " Old rows were left out: their labels are not true any more."
    if rows.rare:
        said += f" Too few rows had the classes {', '.join(rows.rare)}, which were left out."
    return clean(said, 900)
