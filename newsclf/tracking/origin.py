"""Where a run was begun: its relative paths are meant from there, wherever it is taken up or run again."""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.config.fields import Role, fields_of
from newsclf.data.loader import SOURCES
from newsclf.tracking.runs import LoggedRun
from newsclf.tracking.server import PROJECT

FOLDER_TAG = "newsclf.working_folder"
MAY_BE_PATHS: tuple[Role, ...] = ("source", "machine")


def absolute_paths(run: LoggedRun, config_class: type, options: Mapping[str, Any]) -> dict[str, str]:
    """Those of the run's options that are paths from the folder where it was begun, absolute.

    A path is what is there: a file, a folder, or a glob of some. A run that does not say where it was begun has been
    in the project's folder, as `mlflow run` starts it.
    """
    folder, found = Path(run.data.tags.get(FOLDER_TAG) or PROJECT), dict[str, str]()
    for field in fields_of(config_class):
        value = options.get(field.name)
        if field.metadata["role"] not in MAY_BE_PATHS or field.metadata["choices"] or not isinstance(value, str):
            continue
        if value in ("", field.default, *SOURCES) or Path(value).is_absolute():
            continue
        if (folder / value).exists():
            found[field.name] = str(folder / value)
        elif glob.has_magic(value) and next(folder.glob(value), None):
            found[field.name] = f"{glob.escape(str(folder))}/{value}"
    return found
