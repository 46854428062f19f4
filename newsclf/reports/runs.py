"""report.html of runs side by side, and its charts as pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.evaluation.comparison import Comparison
from newsclf.evaluation.configurations import Configuration, differing, scores_of
from newsclf.reports import image, page
from newsclf.reports.forest import Row, forest
from newsclf.reports.vega import Spec
from newsclf.reports.wording import DASH, clean, number, p_value

MAX_DRAWN = 40


def write_report(path: Path, comparison: Comparison, title: str, facts: Mapping[str, object]) -> None:
    """The whole comparison in one file that needs no other."""
    charts = charts_of(comparison)
    pair_rows = sorted(comparison.pair_table(), key=lambda row: row["p_value"])
    parameters = differing(comparison.configurations)
    page.write(
        path,
        "runs.html.jinja",
        title=title,
        sentence=comparison.sentence,
        facts=facts,
        charts={f"{name}-chart": spec for name, (_, spec) in charts.items()},
        notes=[clean(note, 600) for note in comparison.notes],
        scores=[_score_row(row) for row in comparison.table()],
        drawn=len(charts["scores"][1]["datasets"]["rows"]) if "scores" in charts else 0,
        pairs=[_pair_row(row) for row in pair_rows],
        pairs_drawn=min(MAX_DRAWN, len(pair_rows)),
        alpha=f"{100 * comparison.alpha:g} %",
        names=[one.name for one in comparison.configurations],
        parameters=[(clean(name, 80), [clean(value, 200) for value in values]) for name, values in parameters.items()],
        lineage=list(comparison.lineage().items()),
        runs=[_run_row(one, place) for one in comparison.configurations for place in range(len(one.runs))],
    )


def write_plots(folder: Path, comparison: Comparison) -> list[Path]:
    """scores.png and pairs.png, of what there is."""
    charts = charts_of(comparison)
    return [image.write_png(spec, folder / f"{name}.png", title) for name, (title, spec) in charts.items()]


def charts_of(comparison: Comparison) -> dict[str, tuple[str, Spec]]:
    """Title and chart by name: scores of at most 40 configurations, and of at most 40 pairs, the lowest p first."""
    scores = [
        Row(row["configuration"], row["accuracy"], row["accuracy_low"], row["accuracy_high"])
        for row in comparison.table()
        if row["accuracy"] is not None
    ][:MAX_DRAWN]
    lowest = sorted(comparison.pairs, key=lambda pair: pair.p_value)[:MAX_DRAWN]
    pairs = []
    for pair in lowest:
        found, remark = pair.differences["accuracy"], f"corrected p {p_value(pair.corrected_p)}"
        different = comparison.different(pair)
        pairs.append(Row(f"{pair.first} - {pair.second}", found.value, found.low, found.high, different, remark))
    charts = {}
    if scores:
        charts["scores"] = ("Accuracy with 95 % intervals", forest(scores))
    if pairs:
        charts["pairs"] = ("Differences of accuracy with 95 % intervals", forest(pairs, 0.0, "no difference"))
    return charts


def with_interval(row: Mapping[str, Any], score: str, sign: str = "") -> str:
    """0.9123 (0.9050 to 0.9190), of a table's columns."""
    if row[score] is None:
        return DASH
    text = f"{row[score]:{sign}.4f}"
    low, high = row.get(f"{score}_low"), row.get(f"{score}_high")
    return text if low is None or high is None else f"{text} ({low:{sign}.4f} to {high:{sign}.4f})"


def _score_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": row["configuration"],
        "runs": row["runs"],
        "test": row["test"],
        "accuracy": with_interval(row, "accuracy"),
        "spread": number(row["accuracy_spread_over_seeds"]),
        "macro_f1": with_interval(row, "macro_f1"),
        "log_loss": number(row["log_loss"]),
        "calibration": number(row["expected_calibration_error"]),
        "seconds": number(row["seconds"]),
    }


def _pair_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": f"{row['first']} - {row['second']}",
        "accuracy": with_interval(row, "accuracy_difference", "+"),
        "macro_f1": with_interval(row, "macro_f1_difference", "+"),
        "test": row["test"],
        "p": p_value(row["p_value"]),
        "corrected": p_value(row["corrected_p_value"]),
        "state": "drift" if row["different"] else "no-drift",
        "badge": "▲ different" if row["different"] else "● cannot be told apart",
    }


def _run_row(one: Configuration, place: int) -> dict[str, str]:
    run = one.runs[place]
    return {
        "configuration": one.name,
        "seed": run.seed,
        "name": clean(run.name, 80),
        "id": run.run_id,
        "accuracy": number(scores_of(run).get("accuracy")),
    }
