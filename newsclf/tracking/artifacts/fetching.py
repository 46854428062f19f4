"""Fitted references that runs have logged: what is normal, as a folder."""

from __future__ import annotations

import re
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.models import Model

from newsclf.errors import InputError
from newsclf.tracking.reads import download, get_run

PROFILE = "profile.bin"  # of a profile run's artifacts
FOLDER = "reference"  # of a run's artifacts
FILE = "reference.json"  # what tells the folder of a reference


def fetch_reference(name: str) -> Path | None:
    """The local folder of a reference that was logged; None where `name` is none of these (a dataset, perhaps).

    name: a run id, runs:/<run id>, models:/<name>@<alias> or models:/<name>/<version> (the reference of the run that
    logged the model), or a local folder. Raises InputError when it is not there.
    """
    if (Path(name) / FILE).is_file():
        return Path(name)
    if Path(name).is_dir():
        raise InputError(f"reference {name} is a folder without {FILE}: give the folder of a reference, or a dataset")
    try:
        if name.startswith("models:/"):
            run_id = Model.load(str(download(f"{name}/MLmodel"))).run_id or ""
        elif match := re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})(?:/.*)?", name):
            run_id = match[1]
        elif name.startswith("runs:/"):
            raise InputError(f"reference {name} names no run: write runs:/<run id>")
        else:
            return None
        folder = download(f"runs:/{run_id}/{FOLDER}")
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"reference {name} cannot be loaded ({reason}): give a run that trained a model, its model, "
            "a folder with a reference, or a dataset"
        ) from error
    if not (folder / FILE).is_file():
        raise InputError(
            f"reference {name}: its run {run_id} has logged no reference; train has, and monitor of a dataset"
        )
    return folder


def fetch_profile(name: str) -> Path | None:
    """The profile.bin of a run of profile, by its run id or runs:/<run id>; None where `name` is anything else."""
    match = re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})", name)
    if match is None:
        return None
    try:
        if get_run(match[1]).data.tags.get("newsclf.verb") != "profile":
            return None
        return download(f"runs:/{match[1]}/{PROFILE}")
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"reference {name}: the run's {PROFILE} cannot be loaded ({reason}): give another") from error
