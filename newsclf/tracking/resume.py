"""Runs of train that were cut off: what is needed to take one up again, and what is kept for that."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from newsclf.config import TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text
from newsclf.errors import InputError
from newsclf.locks import FolderLock
from newsclf.tracking.artifacts.trained_model import train_config
from newsclf.tracking.database import prepare
from newsclf.tracking.origin import absolute_paths
from newsclf.tracking.run import Run
from newsclf.tracking.runs import LoggedRun, get_run, logged_options, run_id_of
from newsclf.tracking.server import address_of, briefly, first_line, tracking_uri

CHECKPOINTS_TAG = "newsclf.checkpoints"
# What is this call's own, and what may be given anew, as the machine may be another; the rest makes the model.
OF_THIS_CALL = names_of(TrainConfig, "run")
OF_THIS_MACHINE = names_of(TrainConfig, "machine")


@dataclass(frozen=True)
class InterruptedRun:
    """A run that can be taken up again: its id, its options, and the folder of its checkpoints, if it came so far."""

    run_id: str
    config: TrainConfig
    checkpoints: Path | None


def find_interrupted_run(config: TrainConfig) -> InterruptedRun:
    """The run that `config.resume` names, with its own options in place of defaults.

    Raises InputError where there is none, where it has ended well or is still running, and for an option that is
    neither its default nor the run's, nor one of the machine (device, num_workers, folders).
    """
    named = f"option resume is {config.resume}"
    run_id = run_id_of(config.resume)
    if run_id is None:
        raise InputError(f"{named}: it must be the id of a run of train")
    prepare(tracking_uri())
    try:
        run = briefly(lambda: get_run(run_id))
    except MlflowException as error:
        where = address_of(tracking_uri())
        raise InputError(f"{named}: the run is not in the journal, nor in {where} ({first_line(error)})") from error
    if (verb := run.data.tags.get("newsclf.verb")) != "train":
        raise InputError(f"{named}: it is a run of {verb or 'something else'}, and only train can go on with one")
    if run.info.status == "FINISHED":
        raise InputError(f"{named}: that run has ended well, so there is nothing to go on with")
    folder = Path(run.data.tags[CHECKPOINTS_TAG]) if CHECKPOINTS_TAG in run.data.tags else None
    if folder and not folder.is_dir():
        raise InputError(f"{named}: its checkpoints were kept in {folder}, which is not on this machine any more")
    return InterruptedRun(run.info.run_id, _own_options(config, run, named), folder)


def _own_options(config: TrainConfig, run: LoggedRun, named: str) -> TrainConfig:
    """`config` with the run's options, but for those of this call. named: how the option resume was given."""
    logged = [name for name in logged_options(run) if name in names_of(TrainConfig) and name not in OF_THIS_CALL]
    own = train_config(run)
    given, before, default = as_text(config), as_text(own), as_text(TrainConfig())
    paths = absolute_paths(run, TrainConfig, vars(own))
    kept = [name for name in logged if name not in OF_THIS_MACHINE or given[name] == default[name]]
    for name in kept:
        if given[name] not in (before[name], default[name], paths.get(name)):
            raise InputError(
                f"{named}: option {name} is {given[name]}, and {before[name]} in that run; leave it out, or start a "
                "run of its own"
            )
    return dataclasses.replace(config, **{name: paths.get(name, getattr(own, name)) for name in kept})


@contextlib.contextmanager
def checkpoints(run: Run, folder: Path) -> Iterator[Path]:
    """The folder, which the run names in a tag until it has ended well; then it is removed.

    Raises InputError while another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(folder)
    if not lock.take():
        raise InputError(f"the run is still going on: another process writes to {folder}")
    try:
        run.tag({CHECKPOINTS_TAG: str(folder.absolute())})
        yield folder
        run.client.delete_tag(run.id, CHECKPOINTS_TAG)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.release()


def tag_superseded_run(run_id: str) -> None:
    """Let the run that `mlflow run` has made for this process, which goes on with another one, name that one."""
    made = os.environ.pop("MLFLOW_RUN_ID", "")
    if made and made != run_id:
        with contextlib.suppress(MlflowException):
            briefly(lambda: MlflowClient(tracking_uri()).set_tag(made, "newsclf.resumes", run_id))
