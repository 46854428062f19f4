"""compare: runs of train and evaluate side by side, each pair on the same test rows."""

import numpy as np
import pandas as pd

from newsclf.config import CompareConfig, TrainConfig
from newsclf.config.fields import names_of
from newsclf.errors import InputError
from newsclf.evaluation.comparison import Comparison, compared
from newsclf.evaluation.configurations import NONE, RunRecord, canonical, configurations, differing
from newsclf.evaluation.predictions import FILE, Predictions
from newsclf.progress import Update, progress
from newsclf.reports.runs import with_interval, write_plots, write_report
from newsclf.tracking.run import open_run
from newsclf.tracking.runs import LoggedRun, artifact, compare_page, find_runs, metrics_of

VERBS = ("train", "evaluate")
# What makes no other configuration: the seed, the machine, where a run lies; `mlflow run` logs `config` as well.
SET_APART = ("config", *names_of(TrainConfig, "seed", "machine", "output", "run"))
SHOWN_PAIRS = 20  # on the terminal


def compare(config: CompareConfig) -> Comparison:
    """Run the recipe of this file; what it found. Raises InputError for bad input."""
    with open_run("compare", config) as run:
        folder = run.folder
        experiments = config.experiment or (run.experiment_id,)
        found = find_runs(config.runs, experiments, VERBS, config.max_runs)
        if len(found) < 2:
            raise InputError(
                f"option runs gives {len(found)} finished run(s) of {' or '.join(VERBS)}: give two or more by their "
                "ids, or another query (experiment=all looks into every experiment)"
            )
        with progress("predictions", len(found), "runs") as update:
            records = [_record(one, update) for one in found]
        groups, repeated = configurations(records)
        result = compared(groups, config.alpha, config.bootstrap_samples, config.seed)
        if repeated:
            result.notes.append(f"left out, as another run has the same parameters and seed: {', '.join(repeated)}")
        page = compare_page(found)

        tables = {"configurations": pd.DataFrame(result.table()), "pairs": pd.DataFrame(result.pair_table())}
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
            run.log_file(folder / f"{name}.csv")
            if len(table):
                run.log_table(table, f"{name}.json")
        for plot in write_plots(folder / "plots", result):
            run.log_file(plot, "plots")
        facts = {"runs": config.runs, "configurations": len(groups), "false-alarm rate over all pairs": config.alpha}
        write_report(folder / "report.html", result, "Runs side by side", facts | ({"in MLflow": page} if page else {}))
        run.log_file(folder / "report.html")
        metrics = _metrics(result)
        run.log_metrics(metrics)
        tags = {"best": ",".join(one.run_id for one in groups[0].runs), "finding": result.sentence}
        run.tag({f"newsclf.{name}": text for name, text in tags.items()})
        tables_at = {name: str(folder / f"{name}.csv") for name in tables}
        run.finish(metrics, report=str(folder / "report.html"), **tables_at)
        run.show(report=str((folder / "report.html").resolve()), **({"compare": page} if page else {}))
        print(described(result))
    return result


def _record(run: LoggedRun, update: Update) -> RunRecord:
    """What the comparison needs of MLflow's run, with its predictions if it has any."""
    file = artifact(run.info.run_id, FILE)
    update(1)
    return RunRecord(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        parameters={name: text for name, text in run.data.params.items() if name not in SET_APART},
        seed=canonical(run.data.params.get("seed", NONE)),
        metrics=metrics_of(run),
        tags=run.data.tags,
        predictions=Predictions.read(file) if file else None,
    )


def _metrics(result: Comparison) -> dict[str, float]:
    best = result.configurations[0].values("accuracy")
    return {
        "configurations": len(result.configurations),
        "runs": sum(len(one.runs) for one in result.configurations),
        "pairs": len(result.pairs),
        "pairs_different": sum(map(result.different, result.pairs)),
        **({"best_accuracy": float(np.mean(best))} if best else {}),
    }


def described(result: Comparison) -> str:
    """The tables for a terminal: configurations with the parameters that differ, the pairs, what was left out."""
    different = differing(result.configurations)
    rows = [["", *different, "seeds", "accuracy", "macro-F1", "log-loss", "cal. error"]]
    for place, row in enumerate(result.table()):
        rest = [
            NONE if row[name] is None else f"{row[name]:.4f}" for name in ("log_loss", "expected_calibration_error")
        ]
        scores = [with_interval(row, "accuracy"), with_interval(row, "macro_f1"), *rest]
        rows.append([row["configuration"], *(v[place] for v in different.values()), str(row["runs"]), *scores])
    text = aligned(rows)
    if result.pairs:
        lowest = sorted(result.pair_table(), key=lambda row: row["p_value"])
        rows = [["pair", "accuracy difference", "p", f"p, corrected for {len(lowest)}", ""]]
        for row in lowest[:SHOWN_PAIRS]:
            p_values = [f"{row['p_value']:.3g}", f"{row['corrected_p_value']:.3g}"]
            finding = "different" if row["different"] else "cannot be told apart"
            difference = with_interval(row, "accuracy_difference", "+")
            rows.append([f"{row['first']} - {row['second']}", difference, *p_values, finding])
        text += "\n\n" + aligned(rows)
        if len(lowest) > SHOWN_PAIRS:
            text += f"\n({len(lowest) - SHOWN_PAIRS} more in pairs.csv)"
    return "\n".join([text, "", *(f"note: {note}" for note in result.notes), result.sentence])


def aligned(rows: list[list[str]]) -> str:
    """Rows of cells as lines with columns of equal width; a long cell is cut."""
    cells = [[cell if len(cell) <= 40 else cell[:39] + "…" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
