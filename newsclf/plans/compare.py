"""What compare would do: the runs that it finds."""

import os
from collections.abc import Iterator

from newsclf.config import CompareConfig
from newsclf.plans.reading import destination, lines, tracking_store
from newsclf.tracking.runs import find_runs
from newsclf.verbs.compare import VERBS


def plan(config: CompareConfig) -> Iterator[str]:
    """The lines of a dry run."""
    here = os.environ.get("MLFLOW_EXPERIMENT_NAME") or os.environ.get("MLFLOW_EXPERIMENT_ID") or "0"
    with tracking_store():
        found = find_runs(config.runs, config.experiment or (here,), VERBS, config.max_runs)
    for run in found:
        yield f"{run.info.run_id}  {run.data.tags.get('newsclf.verb', ''):8}  {run.info.run_name}"
    yield from lines({"runs": f"{len(found):,}, which are compared in pairs"} | destination("compare", config))
