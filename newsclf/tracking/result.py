"""The folder of a verb's files, and result.json in it: what it found, for programs that do not ask the server."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.uri import is_local_uri

from newsclf.errors import InputError
from newsclf.files import in_one_step
from newsclf.tracking.database import readable_by_mlflow
from newsclf.tracking.journal.store import find, place_of
from newsclf.tracking.pages import local_page, run_page
from newsclf.tracking.server import address_of, is_server


def prepare_folder(chosen: str, verb: str, name: str) -> Path:
    """The verb's output folder (default outputs/<verb>/<name>), made and proved writable.

    Raises InputError when it cannot be written, before hours of work depend on it.
    """
    folder = Path(chosen) if chosen else Path("outputs") / verb / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"output_dir {folder} cannot be written ({error.strerror}): give another folder") from None
    return folder


def check_artifacts(uri: str) -> None:
    """Raises InputError where the run's own files are to be kept in a folder of this machine that does not take them.

    uri: the run's, as its experiment has set it; the database may have been made elsewhere.
    """
    if not is_local_uri(uri):
        return
    if ":" not in uri and not readable_by_mlflow(Path(uri)):  # made by `mlflow run`, or from the working folder
        folder = local_file_uri_to_path(uri)
        raise InputError(f"MLflow would keep the files of {uri} in {folder}, as it decodes %xx: rename the folder")
    folder = Path(local_file_uri_to_path(uri))
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise InputError(
            f"the run's files go to {folder}, and {there} cannot be written: make it writable, or let "
            "MLFLOW_EXPERIMENT_NAME name a new experiment, whose files are kept in mlruns/ of the working folder"
        )


def write_result(folder: Path, result: Mapping[str, Any]) -> Path:
    """Write result.json in one step. Raises InputError where the folder does not take it."""
    file = folder / "result.json"
    try:
        with in_one_step(file) as unfinished:
            unfinished.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}): the run {result['run_id']} holds everything but this file"
        ) from None
    return file


def closing_lines(server: str, experiment_id: str, run_id: str, paths: Mapping[str, str]) -> str:
    """The last lines of a verb, once its run is closed and sent: where everything is, and how to look at it."""
    place = place_of(run_id) or {"experiment_id": experiment_id, "run_id": run_id}
    if (waiting := find(run_id)) and not waiting.sent.experiment_id:
        look = "make ui, after make sync"
    elif is_server(server):
        look = f"{address_of(server)}/{run_page(place['experiment_id'], place['run_id'])}"
    else:
        look = local_page(run_page(place["experiment_id"], place["run_id"]))
    lines = {"run": run_id, **paths, "look": look}
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {text}" for name, text in lines.items())
