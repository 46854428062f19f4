"""What reproduce would do: which run is run again, from which commit."""

from collections.abc import Iterator

from newsclf.config import ReproduceConfig
from newsclf.plans.reading import destination, lines, tracking_store
from newsclf.verbs.reproduce import find_run, verb_of


def plan(config: ReproduceConfig) -> Iterator[str]:
    """The lines of a dry run."""
    with tracking_store():
        run = find_run(config.run_id)
    seconds = (run.info.end_time - run.info.start_time) / 1000 if run.info.end_time else 0.0
    parts = {
        "again": f"{verb_of(run)}, run {run.info.run_id} ({run.info.run_name})",
        "commit": run.data.tags["mlflow.source.git.commit"],
        "time": f"it took {seconds:,.0f} s",
    }
    yield from lines(parts | destination("reproduce", config))
