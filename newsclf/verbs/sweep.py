"""sweep: many runs of train, each a child `mlflow run`, from a list, a grid, at random, or led by earlier ones."""

import hashlib
import re

from newsclf.config import SweepConfig
from newsclf.errors import InputError
from newsclf.locks import held
from newsclf.progress import progress
from newsclf.tracking.pages import local_page
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import compare_page, compare_path, get_run
from newsclf.tuning import plots
from newsclf.tuning.space import Space, identity, read_space
from newsclf.tuning.storage import storage_url
from newsclf.tuning.study import Trials
from newsclf.tuning.table import beside_published, frame, printed, trial_rows
from newsclf.tuning.worker import SweepWorker

MAX_COMPARED = 50  # runs on MLflow's compare page


def sweep(config: SweepConfig) -> dict[str, float]:
    """Run the trials that are not settled yet; the logged metrics by name. Raises InputError for bad input."""
    space = read_space(config)
    storage_url(config)
    if config.tracking == "offline":
        raise InputError("option tracking is offline: a sweep reads what its trials log from the tracking store")
    name = config.name or f"{config.strategy}-{hashlib.sha256(identity(config, space).encode()).hexdigest()[:10]}"
    if not re.fullmatch(r"[\w.-]{1,100}", name):
        raise InputError(f"option name is {name!r}: letters, digits, - _ and . make a name of at most 100 characters")
    folder = config.output_dir or f"outputs/sweep/{name}"
    with open_run("sweep", config, folder=folder) as run, held(run.folder) as lock:
        trials = Trials(config, space, name, str(run.folder / "study.db"))
        worker = SweepWorker(config, space, trials, name, run, run.folder.resolve(), lock)
        worker.adopt_earlier()
        with progress(f"sweep {name}", trials.slots, "trials") as update:
            worker.run_trials(update)
        return report(config, space, trials, run)


def report(config: SweepConfig, space: Space, trials: Trials, run: Run) -> dict[str, float]:
    """Table and plots, to the run, the folder and the terminal; the metrics."""
    found = trial_rows(trials.by_slot(), space.names, trials.lowest)
    table = beside_published(
        frame(found, space.names, config.aim), config.published, lambda run_id: get_run(run_id).data.metrics
    )
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
    compared = [get_run(row.run_id) for row in found[:MAX_COMPARED] if row.run_id]
    page = compare_page(compared) or local_page(compare_path(compared))
    run.show(best=best.run_id, table=str((run.folder / "table.csv").resolve()), compare=page)
    return metrics
