"""What a sweep has found, in its run, its folder and on the terminal."""

from __future__ import annotations

from newsclf.config import SweepConfig
from newsclf.errors import InputError
from newsclf.tracking.run import Run
from newsclf.tracking.runs import compare_page, compare_path, get_run
from newsclf.tuning import plots
from newsclf.tuning.space import Space
from newsclf.tuning.study import Trials
from newsclf.tuning.table import frame, printed, rows

MOST_COMPARED = 50


def report(config: SweepConfig, space: Space, trials: Trials, run: Run) -> dict[str, float]:
    """Table and plots, to the run, the folder and the terminal; the metrics."""
    found = rows(trials.by_slot(), space.names, trials.lowest)
    table = frame(found, space.names, config.aim)
    table.to_csv(run.folder / "table.csv", index=False)
    run.log_file(run.folder / "table.csv")
    complete = [row for row in found if row.value is not None]
    if not complete:
        reason = found[-1].failure if found else "there is none"
        raise InputError(f"no trial is complete; the last one: {reason}")
    figures = {}
    if len(complete) > 1:
        figures["parallel_coordinates.png"] = plots.parallel_coordinates(complete, space.names, config.aim)
    if shares := trials.importances():
        figures["importances.png"] = plots.importances(shares, config.aim)
    for name, figure in figures.items():
        figure.savefig(run.folder / name)
        run.log_file(run.folder / name, "plots")
    for row in complete:
        run.log_metrics({f"trial/{config.aim}": row.value or 0.0}, step=row.trial)
    best = complete[0]
    metrics = {f"best/{config.aim}": float(best.value or 0.0)}
    metrics |= {
        f"trials/{state}": sum(row.state == state for row in found) for state in ("complete", "pruned", "failed")
    }
    run.log_metrics(metrics)
    run.tag({"newsclf.best_run_id": best.run_id})
    print(printed(table, config.aim, space.names))
    run.finish(metrics, best=best.run_id, table=str(run.folder / "table.csv"))
    compared = [get_run(row.run_id) for row in found[:MOST_COMPARED] if row.run_id]
    page = compare_page(compared) or f"make ui, then http://127.0.0.1:5000/{compare_path(compared)}"
    run.show(best=best.run_id, table=str((run.folder / "table.csv").resolve()), compare=page)
    return metrics
