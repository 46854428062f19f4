"""What the server of a run has got of its journal: `sent.json` beside it, written after every request."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from newsclf.files import read_json, write_json

FileStates = dict[str, list[int]]  # by a file's path in its folder: size in bytes and time in ns when it was sent


@dataclass
class SentModel:
    """A logged model on the server: its id there, the files that are there, and whether it is READY."""

    model_id: str
    files: FileStates = field(default_factory=dict)
    ready: bool = False


@dataclass(slots=True)
class Sent:
    """Everything at its default: the server has nothing, and all of it may be sent, or sent again.

    run_id, experiment_id, server: where the run is, "" before it is made there. params: names; tags: as they are
    there; inputs: how many; metrics, model_metrics: the last point's row; models: by their ids in the journal;
    registered: the name that the model is registered under; ended: status and end time in ms. partial: whether the
    server has points of the run that this journal did not make (see session.py). experiment: its name there. deleted:
    whether a person was told that the run was deleted there.
    """

    path: Path
    run_id: str = ""
    experiment_id: str = ""
    server: str = ""
    params: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: int = 0
    metrics: int = 0
    model_metrics: int = 0
    files: FileStates = field(default_factory=dict)
    models: dict[str, SentModel] = field(default_factory=dict)
    registered: str = ""
    ended: list[Any] | None = None
    partial: bool = False
    experiment: str = ""
    deleted: bool = False

    @classmethod
    def load(cls, path: Path) -> Sent:
        """As it was kept in the file; nothing where there is none, or it was damaged."""
        kept, names = _sound(read_json(path)), {one.name for one in fields(cls)} - {"path"}
        sent = cls(path, **{name: value for name, value in kept.items() if name in names})
        sent.models = {name: SentModel(**model) for name, model in kept.get("models", {}).items()}
        return sent

    @staticmethod
    def is_damaged(path: Path) -> bool:
        """Whether there is a file, and it is not as it was written."""
        return path.exists() and not _sound(read_json(path))

    def keep(self, **values: Any) -> None:
        """Replace values, by their names, and write all of them to the file. Raises OSError."""
        for name, value in values.items():
            setattr(self, name, value)
        kept = {name: value for name, value in asdict(self).items() if name != "path"}
        write_json(self.path, kept | {"checksum": _checksum(kept)}, option="")


def _checksum(kept: dict[str, Any]) -> int:
    """A wrong number in the file would keep records back for ever, and look like any other."""
    return zlib.crc32(json.dumps(kept, sort_keys=True).encode())


def _sound(kept: dict[str, Any]) -> dict[str, Any]:
    """What was kept, without the checksum; {} where it is not that, or values are of other types than were written."""
    checksum = kept.pop("checksum", None)  # version 0.1 wrote none
    if checksum not in (None, _checksum(kept)):
        return {}
    default, ended = Sent(Path()), kept.get("ended")
    types = [type(value) is type(getattr(default, name, value)) for name, value in kept.items() if name != "ended"]
    try:
        models = [SentModel(**model) for model in kept.get("models", {}).values()]
        folders = [kept.get("files", {}), *(model.files for model in models)]
        types += [[type(number) for number in state] == [int, int] for files in folders for state in files.values()]
        types += [isinstance(text, str) for text in (*kept.get("params", []), *kept.get("tags", {}).values())]
    except (TypeError, AttributeError):
        return {}
    return kept if all(types) and (ended is None or (isinstance(ended, list) and len(ended) == 2)) else {}
