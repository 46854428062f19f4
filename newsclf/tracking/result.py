"""result.json: what a verb found, for programs that do not ask the tracking server."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.config.options import as_text
from newsclf.errors import InputError
from newsclf.files import in_one_step
from newsclf.tracking.journal.store import find, place_of
from newsclf.tracking.server import EMBEDDED, is_server, tracking_uri


def prepare_folder(chosen: str, verb: str, run_id: str) -> Path:
    """The verb's output folder (default outputs/<verb>/<run id>), made and proved writable.

    Raises InputError when it cannot be written, before hours of work depend on it.
    """
    folder = Path(chosen) if chosen else Path("outputs") / verb / run_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"output_dir {folder} cannot be written ({error.strerror}): give another folder") from None
    return folder


def write_result(
    folder: Path, *, verb: str, run_id: str, config: Any, metrics: Mapping[str, float], **paths: str
) -> Path:
    """Write result.json in one step: `metrics` by the names they were logged under, run id, options, paths."""
    result = {
        "verb": verb,
        "run_id": run_id,
        "metrics": dict(metrics),
        "parameters": as_text(config),
        "paths": paths,
    }
    file = folder / "result.json"
    try:
        with in_one_step(file) as unfinished:
            unfinished.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}): the run {run_id} holds everything but this file"
        ) from None
    return file


def closing_lines(run: Any, result: Path, **paths: str) -> str:
    """The last lines of a verb: where everything is, and how to look at it."""
    uri, place = tracking_uri(), place_of(run.info.run_id) or {}
    experiment, run_id = place.get("experiment_id", run.info.experiment_id), place.get("run_id", run.info.run_id)
    if (waiting := find(run.info.run_id)) and not waiting.sent.experiment_id:
        look = "make ui, after mlflow run . -e sync"
    elif is_server(uri):
        look = f"{uri.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"
    else:
        look = "make ui" if uri == EMBEDDED else f"mlflow ui --backend-store-uri {uri}"
    lines = {"run": run.info.run_id, **paths, "result": str(result.resolve()), "look": look}
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {text}" for name, text in lines.items())
