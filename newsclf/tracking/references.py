"""Fitted references that runs have logged: what is normal, as a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException

from newsclf.errors import InputError

FOLDER = "reference"  # of a run's artifacts
FILE = "reference.json"  # what tells the folder of a reference


@dataclass(frozen=True)
class FetchedReference:
    """A reference's folder on this machine, and the model that was logged with it ("" for a local folder)."""

    folder: Path
    model: str


def fetch_reference(name: str) -> FetchedReference | None:
    """A reference that was logged; None where `name` is none of these (a dataset, perhaps).

    name: a run id, runs:/<run id>, models:/<name>@<alias> or models:/<name>/<version> (the reference of the run that
    logged the model), or a local folder. Raises InputError when it is not there.
    """
    if (Path(name) / FILE).is_file():
        return FetchedReference(Path(name), "")
    if Path(name).is_dir():
        raise InputError(f"reference {name} is a folder without {FILE}: give the folder of a reference, or a dataset")
    try:
        if name.startswith("models:/"):
            run_id = mlflow.models.get_model_info(name).run_id
        elif match := re.fullmatch(r"(?:runs:/)?([0-9a-f]{32})(?:/.*)?", name):
            run_id = match[1]
        elif name.startswith("runs:/"):
            raise InputError(f"reference {name} names no run: write runs:/<run id>")
        else:
            return None
        folder = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=FOLDER))
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
    return FetchedReference(folder, name if name.startswith("models:/") else f"runs:/{run_id}/model")
