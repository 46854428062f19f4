"""report.html of a retraining: what has drifted, what was tried, what was decided, in plain words."""

from pathlib import Path
from typing import Any

from newsclf.reports import page
from newsclf.reports.wording import clean, number
from newsclf.retraining.outcome import PROMOTED, RetrainingOutcome
from newsclf.retraining.policy import NOTHING, JudgedBatch

STATES = {True: ("drift", "▲ drift"), False: ("no-drift", "● no drift"), None: ("not-judged", "○ not judged")}


def write_report(path: Path, outcome: RetrainingOutcome, title: str) -> None:
    """The whole retraining in one file: batches, challenger, the gate's numbers, the texts to label."""
    page.write(
        path,
        "retraining.html.jinja",
        title=title,
        sentence=outcome.conclusion,
        state="no-drift" if outcome.decision in (PROMOTED, NOTHING) else "drift",
        badge=outcome.decision,
        facts={"champion": outcome.champion, "stream": outcome.stream, "batches": len(outcome.batches)},
        drifted=clean(outcome.plan.reason, 1000),
        batches=[_batch(batch) for batch in outcome.batches],
        tried=[_tried(outcome)] if outcome.challenger is not None else [],
        scores=[(name, number(value)) for name, value in sorted(outcome.scores().items())],
        to_label=[clean(text, 160) for text in outcome.to_label["text"]] if outcome.to_label is not None else [],
    )


def _batch(batch: JudgedBatch) -> dict[str, Any]:
    state, badge = STATES[batch.verdict["drifted"]]
    return {
        "name": clean(batch.name, 80),
        "state": state,
        "badge": badge,
        "labelled": f"{batch.labelled:,}",
        "sentence": clean(batch.verdict["sentence"], 400),
    }


def _tried(outcome: RetrainingOutcome) -> str:
    rows, name = outcome.rows, outcome.challenger.uri
    if rows is None:
        return clean(
            f"{name}, which was trained for this drift and refused, was tested again, by {outcome.tested:,} new rows: "
            "those that were held out then, and those that were labelled since.",
            900,
        )
    sentence = (
        f"{name} was trained on {rows.new_rows:,} new rows, and on {rows.old_rows:,} that the champion was trained on; "
        f"the {outcome.tested:,} newest labelled rows were held out to test it."
    )
    if not rows.old_rows:
        sentence += " Old rows were left out: their labels are not true any more."
    if rows.rare:
        sentence += f" Too few rows had the classes {', '.join(rows.rare)}, which were left out."
    return clean(sentence, 900)
