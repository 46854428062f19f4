"""Files of a folder to an artifact store, each of them again whenever it has changed."""

import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from newsclf.tracking.journal.sent import FileStates
from newsclf.tracking.server import NotStored

AT_ONCE, A_CALL = 4, 16
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
    """Send what has changed, some files of a folder at a time; yields how many, when they are noted in `sent`.

    repository: MLflow's ArtifactRepository. names: what is replaced in texts, and by what.
    A file is noted when the store, asked for it, has it with its size; one that has taken the place of another is read
    back, for the other may have had the same. Raises NotStored where the store has said yes and has it not; the others
    are noted before. A file that is being written has another size or time afterwards, and is sent again.
    """

    def send(name: str) -> bool:
        """Whether it is there. The store's word for it would be a yes that something in between can give as well."""
        with tempfile.TemporaryDirectory() as temporary:
            source = _renamed(folder / name, names, Path(temporary))
            repository.log_artifact(str(source), _parent(name) or None)
            sizes[name] = source.stat().st_size
            if name not in sent:
                return True
            back = repository.download_artifacts(name, temporary)
            return Path(back).read_bytes() == source.read_bytes()

    sizes: dict[str, int] = {}
    found = changed(folder, sent)
    for parent, group in groupby(sorted(found, key=lambda name: (_parent(name), name)), key=_parent):
        inside = list(group)
        for start in range(0, len(inside), A_CALL):
            results = _side_by_side(send, inside[start : start + A_CALL])
            there = {one.path: one.file_size for one in repository.list_artifacts(parent or None)}
            arrived = [name for name, done in results.items() if done is True and there.get(name) == sizes[name]]
            sent.update({name: found[name] for name in arrived})
            if arrived:
                yield len(arrived)
            for name, done in results.items():
                if isinstance(done, Exception):
                    raise done
                if name not in arrived:
                    raise NotStored(
                        f"it says that it has stored {name}, and has not: what answers may not be the server itself"
                    )


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _renamed(source: Path, names: Mapping[str, str], folder: Path) -> Path:
    """The file, or where it is a text with one of the names in it, a copy in `folder` with the other ones."""
    if not names or source.suffix not in TEXTS:
        return source
    text = renamed = source.read_text(encoding="utf-8", errors="surrogateescape")
    for old, new in names.items():
        renamed = renamed.replace(old, new)
    if renamed == text:
        return source
    copy = folder / source.name
    copy.write_text(renamed, encoding="utf-8", errors="surrogateescape")
    return copy


def _side_by_side(send: Callable[[str], bool], names: list[str]) -> dict[str, bool | Exception]:
    """What `send` returns or raises for each name; a server is far away, and a model has its code in small files.

    In threads that end with the process: those of a pool would keep it, for as long as a server that hangs likes.
    """
    waiting, results = deque(names), dict[str, bool | Exception]()

    def work() -> None:
        while waiting:
            try:
                name = waiting.popleft()
            except IndexError:
                return
            try:
                results[name] = send(name)
            except Exception as error:
                results[name] = error

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(names)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
