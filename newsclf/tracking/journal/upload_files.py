"""Files of a folder to an artifact store, each of them again whenever it has changed."""

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from newsclf.tracking.journal.sent import FileStates

AT_ONCE = 4
TEXTS = ("", ".json", ".yaml", ".html")  # "": MLmodel


def changed(folder: Path, sent: FileStates) -> FileStates:
    """The files that differ from what was sent, as they are now."""
    found: FileStates = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        about, name = path.stat(), path.relative_to(folder).as_posix()
        if sent.get(name) != [about.st_size, about.st_mtime_ns]:
            found[name] = [about.st_size, about.st_mtime_ns]
    return found


def upload(folder: Path, repository: Any, sent: FileStates, names: Mapping[str, str]) -> Iterator[int]:
    """Send what has changed, some files at a time; yields how many, when they are noted in `sent`.

    repository: MLflow's ArtifactRepository. names: what is replaced in texts, and by what.
    A file that is being written has another size or time afterwards, and is sent again.
    """

    def send(name: str) -> None:
        source, below = folder / name, name.rpartition("/")[0] or None
        with tempfile.TemporaryDirectory() as temporary:
            if names and source.suffix in TEXTS:
                text = renamed = source.read_text(encoding="utf-8", errors="surrogateescape")
                for old, new in names.items():
                    renamed = renamed.replace(old, new)
                if renamed != text:
                    source = Path(temporary) / source.name
                    source.write_text(renamed, encoding="utf-8", errors="surrogateescape")
            repository.log_artifact(str(source), below)

    found = list(changed(folder, sent).items())
    with ThreadPoolExecutor(AT_ONCE) as pool:  # a server is far away, and a model has its code in many small files
        for start in range(0, len(found), AT_ONCE):
            files = dict(found[start : start + AT_ONCE])
            list(pool.map(send, files))
            sent.update(files)
            yield len(files)
