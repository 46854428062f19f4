"""report.html of a promotion: what was decided, every check with its numbers, recall by class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.evaluation.gate import Check, Decision
from newsclf.reports import page
from newsclf.reports.forest import Row, forest
from newsclf.reports.wording import DASH, clean, number

# State (a colour of the page) and words for what a check found.
FOUND = {True: ("no-drift", "● passed"), False: ("drift", "▲ refused"), None: ("not-judged", "○ not judged")}


def write_report(
    path: Path, sentence: str, moved: bool, decision: Decision | None, facts: Mapping[str, object], title: str
) -> None:
    """moved: whether champion has a new version now; decision: None for a rollback, which measures nothing."""
    charts = {}
    if decision and decision.differences:
        rows = [Row(f"{name} test", one.value, one.low, one.high) for name, one in decision.differences.items()]
        charts["differences"] = forest(rows, 0.0, "no difference")
    page.write(
        path,
        "promotion.html.jinja",
        title=title,
        sentence=sentence,
        state="no-drift" if moved else "drift",
        facts=facts,
        charts=charts,
        checks=[_check_row(check) for check in decision.checks] if decision else [],
        drawn=len(decision.differences) if decision else 0,
        numbers=[(name, number(value)) for name, value in decision.numbers.items()] if decision else [],
        tests=[_test(name, rows) for name, rows in decision.recalls.items()] if decision else [],
    )


def _check_row(check: Check) -> dict[str, str]:
    state, badge = FOUND[check.passed]
    return {"name": check.name, "state": state, "badge": badge, "sentence": clean(check.sentence, 600)}


def _test(name: str, recalls: Mapping[str, tuple[float, float | None]]) -> dict[str, Any]:
    rows = [
        {
            "name": clean(label, 80),
            "ours": number(ours),
            "theirs": number(theirs),
            "change": DASH if theirs is None else f"{ours - theirs:+.4f}",
        }
        for label, (ours, theirs) in recalls.items()
    ]
    return {"name": name, "rows": rows}
