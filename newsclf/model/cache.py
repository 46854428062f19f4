"""A folder of arrays that are expensive to compute, under a size limit.

An entry is a folder `<key>` with values.npy and lengths.npy. It is written under another name and
renamed when it is whole, so a half-written entry is never read; of two processes that write the
same entry at once, the first to finish wins.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsclf.errors import InputError

UNFINISHED = ".unfinished-"
STALE_SECONDS = 24 * 3600


def default_folder() -> Path:
    """$NEWSCLF_CACHE_DIR, else newsclf/ in the user's cache folder."""
    chosen = os.environ.get("NEWSCLF_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newsclf" / "prefix"


@dataclass(frozen=True)
class Cache:
    """Entries in `folder`, together at most `limit` bytes; the ones unused for longest are removed first."""

    folder: Path
    limit: int

    def get(self, key: str) -> tuple[np.ndarray, np.ndarray] | None:
        """The entry's (values, lengths), values memory-mapped; None where there is no whole entry."""
        entry = self.folder / key
        try:
            values = np.load(entry / "values.npy", mmap_mode="r", allow_pickle=False)
            lengths = np.load(entry / "lengths.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read is still a cache
            os.utime(entry)
        return values, lengths

    def fits(self, size: int) -> bool:
        """Whether an entry of `size` bytes is within the limit."""
        return size <= self.limit

    def put(
        self, key: str, shape: tuple[int, ...], lengths: np.ndarray, fill: Callable[[np.ndarray], None]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make an entry: `fill` writes every element of the float16 array [shape] it is given.

        Raises InputError when the disk is full or the folder cannot be written.
        """
        size = int(np.prod(shape)) * 2
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(size)
            if shutil.disk_usage(self.folder).free < size:
                raise InputError(
                    f"cache folder {self.folder}: {size / 1e9:.1f} GB are needed and not free; "
                    "free some, set cache_dir to another disk, or set prefix_cache=false"
                )
            unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        except OSError as error:
            raise InputError(
                f"cache folder {self.folder} cannot be written ({error.strerror}): set cache_dir"
            ) from error
        try:
            values = np.lib.format.open_memmap(unfinished / "values.npy", mode="w+", dtype=np.float16, shape=shape)
            fill(values)
            values.flush()
            np.save(unfinished / "lengths.npy", lengths)
            # Opened before it is in its place: from there another process may remove it at any time.
            values = np.load(unfinished / "values.npy", mmap_mode="r", allow_pickle=False)
            self._publish(unfinished, key)
        except OSError as error:
            raise InputError(
                f"cache folder {self.folder} cannot be written ({error.strerror}): set cache_dir"
            ) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return self.get(key) or (values, lengths)

    def _publish(self, unfinished: Path, key: str) -> None:
        try:
            unfinished.rename(self.folder / key)
        except OSError:
            if self.get(key) is None:  # a broken entry; a whole one is of a process that was first, and as good
                shutil.rmtree(self.folder / key, ignore_errors=True)
                with contextlib.suppress(OSError):
                    unfinished.rename(self.folder / key)

    def clear(self) -> int:
        """Remove all entries; the number of bytes that are free again."""
        freed = 0
        for entry in self._entries(unfinished=True):
            freed += _size(entry)
            shutil.rmtree(entry, ignore_errors=True)
        return freed

    def _make_room(self, size: int) -> None:
        for entry in self._entries(unfinished=True):
            if entry.name.startswith(UNFINISHED) and time.time() - _last_use(entry) > STALE_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)  # its writer was killed
        entries = sorted(self._entries(), key=_last_use)
        total = sum(map(_size, entries))
        for entry in entries:
            if total + size <= self.limit:
                break
            total -= _size(entry)
            shutil.rmtree(entry, ignore_errors=True)

    def _entries(self, unfinished: bool = False) -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        for entry in list(self.folder.iterdir()):
            whole = len(entry.name) == 64 and (entry / "values.npy").exists()
            if entry.is_dir() and (whole or (unfinished and entry.name.startswith(UNFINISHED))):
                yield entry


# Another process may be removing the entry.
def _size(entry: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return sum(file.stat().st_size for file in entry.glob("*.npy"))
    return 0


def _last_use(entry: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return entry.stat().st_mtime
    return 0.0


def main() -> None:
    """`python -m newsclf.model.cache`: empty the cache folder (`make clean-cache`)."""
    folder = default_folder()
    freed = Cache(folder, limit=0).clear()
    print(f"removed {freed / 1e9:.2f} GB from {folder}")


if __name__ == "__main__":
    main()
