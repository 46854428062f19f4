"""The cache on disk: whole entries or none, the least used go first, nothing over the limit."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import newsclf
from newsclf.errors import InputError
from newsclf.model.cache import STALE_SECONDS, UNFINISHED, Cache

ROOT = Path(newsclf.__file__).parents[1]
LENGTHS = np.array([2, 3])
SHAPE = (5, 10)
BYTES = 100  # of the values of one entry
ENTRY = 128 + BYTES + 128 + 16  # of its two files: header and values, header and lengths


def key(name: object) -> str:
    return sha256(str(name).encode()).hexdigest()


def fill_with(number: float) -> Callable[[np.ndarray], None]:
    return lambda values: values.__setitem__(..., number)


def put(cache: Cache, name: object, number: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    return cache.put(key(name), SHAPE, LENGTHS, fill_with(number))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", limit=10**6)


def test_an_entry_is_read_back_as_it_was_put_and_memory_mapped(cache: Cache) -> None:
    assert cache.get(key("a")) is None
    made = put(cache, "a", 0.5)
    read = cache.get(key("a"))
    assert read is not None
    for values, lengths in (made, read):
        assert isinstance(values, np.memmap)
        assert not values.flags.writeable
        assert (values.dtype, values.shape) == (np.float16, SHAPE)
        assert (values == 0.5).all()
        assert lengths.tolist() == [2, 3]
    assert cache.get(key("b")) is None


def test_a_writer_that_is_killed_leaves_no_entry(cache: Cache) -> None:
    program = f"""
import os, numpy as np
from pathlib import Path
from newsclf.model.cache import Cache
def fill(values):
    values[:3] = 7
    values.flush()
    os.kill(os.getpid(), 9)
Cache(Path({str(cache.folder)!r}), 10**6).put({key("a")!r}, {SHAPE}, np.array([2, 3]), fill)
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == -9
    assert [entry.name.startswith(UNFINISHED) for entry in cache.folder.iterdir()] == [True]
    assert cache.get(key("a")) is None
    assert (put(cache, "a", 2.0)[0] == 2).all()


def test_an_entry_cannot_be_read_before_its_last_value_is_there(cache: Cache) -> None:
    seen = []

    def fill(values: np.ndarray) -> None:
        values[:] = 1
        seen.append(cache.get(key("a")))

    cache.put(key("a"), SHAPE, LENGTHS, fill)
    assert seen == [None]
    assert cache.get(key("a")) is not None


def test_an_error_while_writing_leaves_nothing_behind(cache: Cache) -> None:
    def fill(values: np.ndarray) -> None:
        raise RuntimeError("no more power")

    with pytest.raises(RuntimeError, match="no more power"):
        cache.put(key("a"), SHAPE, LENGTHS, fill)
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("file", ["values.npy", "lengths.npy"])
@pytest.mark.parametrize("size", [0, 20, 130])
def test_a_truncated_array_is_ignored_and_replaced(cache: Cache, file: str, size: int) -> None:
    put(cache, "a")
    with (cache.folder / key("a") / file).open("r+b") as array:
        array.truncate(size)
    assert cache.get(key("a")) is None
    assert (put(cache, "a", 3.0)[0] == 3).all()


def test_of_two_writers_at_once_both_get_a_whole_entry(cache: Cache, tmp_path: Path) -> None:
    program = f"""
import sys, time, numpy as np
from pathlib import Path
from newsclf.model.cache import Cache
number, there = float(sys.argv[1]), Path({str(tmp_path)!r})
def fill(values):
    (there / sys.argv[1]).touch()
    while not all((there / name).exists() for name in "12"):
        time.sleep(0.001)
    values[:] = number
values, lengths = Cache(Path({str(cache.folder)!r}), 10**6).put({key("a")!r}, {SHAPE}, np.array([2, 3]), fill)
assert lengths.tolist() == [2, 3]
print(*np.unique(values))
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, name], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for name in "12"
    ]
    printed = [writer.communicate(timeout=60)[0].strip() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    entry = cache.get(key("a"))
    assert entry is not None
    first = str(float(entry[0][0, 0]))
    assert printed == [first, first], "the first to finish wins"
    assert [folder.name for folder in cache.folder.iterdir()] == [key("a")]


def test_writers_that_evict_each_others_entries_do_not_fail(cache: Cache) -> None:
    program = f"""
import sys, numpy as np
from pathlib import Path
from hashlib import sha256
from newsclf.model.cache import Cache
cache = Cache(Path({str(cache.folder)!r}), {3 * ENTRY})
for number in range(150):
    key = sha256(f"{{sys.argv[1]}} {{number}}".encode()).hexdigest()
    values, _ = cache.put(key, {SHAPE}, np.array([2, 3]), lambda values: values.__setitem__(..., number))
    assert (values == number).all()
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(name)], stderr=subprocess.PIPE, text=True, cwd=ROOT)
        for name in range(3)
    ]
    assert [writer.communicate(timeout=60)[1] for writer in writers] == ["", "", ""]


def use(cache: Cache, name: str, seconds_ago: float) -> None:
    moment = time.time() - seconds_ago
    os.utime(cache.folder / key(name), (moment, moment))


def names_left(cache: Cache, names: str) -> str:
    there = {folder.name for folder in cache.folder.iterdir()}
    return "".join(name for name in names if key(name) in there)


def test_the_entries_unused_for_longest_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=3 * ENTRY + BYTES)
    for name, seconds_ago in (("a", 30), ("b", 40), ("c", 10), ("d", 20)):
        put(Cache(tmp_path, 10**6), name)
        use(cache, name, seconds_ago)
    put(cache, "e")
    assert names_left(cache, "abcde") == "acde"
    put(cache, "f")
    assert names_left(cache, "abcdef") == "cdef"


def test_reading_counts_as_use(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=2 * ENTRY)
    for name, seconds_ago in (("a", 30), ("b", 20)):
        put(cache, name)
        use(cache, name, seconds_ago)
    assert cache.get(key("a")) is not None
    put(cache, "c")
    assert names_left(cache, "abc") == "ac"


def test_an_entry_in_use_can_be_read_to_its_end_when_it_is_evicted(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=ENTRY)
    values, _ = put(cache, "a", 4.0)
    put(cache, "b")
    assert names_left(cache, "ab") == "b"
    assert (values == 4).all()


def test_what_fits_is_up_to_the_limit(tmp_path: Path) -> None:
    assert [Cache(tmp_path, 100).fits(size) for size in (0, 100, 101)] == [True, True, False]


def test_the_leftovers_of_killed_writers_go_after_a_day(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10**6)
    old, young = (tmp_path / f"{UNFINISHED}{name}" for name in ("old", "young"))
    for folder, age in ((old, STALE_SECONDS + 60), (young, STALE_SECONDS - 60)):
        folder.mkdir()
        (folder / "values.npy").touch()
        os.utime(folder, (time.time() - age, time.time() - age))
    put(cache, "a")
    assert (old.exists(), young.exists()) == (False, True)


def test_clear_removes_all_entries_and_nothing_else(cache: Cache) -> None:
    assert cache.clear() == 0, "there is no folder yet"
    put(cache, "a")
    put(cache, "b")
    (cache.folder / f"{UNFINISHED}x").mkdir()
    (cache.folder / "notes").mkdir()
    (cache.folder / "notes" / "values.npy").write_text("mine")
    (cache.folder / ("f" * 64)).write_text("mine too")
    assert cache.clear() == 2 * ENTRY
    assert {path.name for path in cache.folder.iterdir()} == {"notes", "f" * 64}


def test_make_clean_cache_empties_the_folder_of_the_environment(cache: Cache) -> None:
    put(cache, "a")
    done = subprocess.run(
        [sys.executable, "-m", "newsclf.model.cache", "--clear"],
        env={**os.environ, "NEWSCLF_CACHE_DIR": str(cache.folder)},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"removed 0.00 GB from {cache.folder}\n"
    assert list(cache.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = Cache(tmp_path / "file" / "cache", 10**6)
    assert cache.get(key("a")) is None
    with pytest.raises(InputError, match="cannot be written .*: set cache_dir"):
        put(cache, "a")


@pytest.mark.skipif(os.geteuid() == 0, reason="no folder is read-only for root")
def test_a_read_only_folder_can_be_read_and_is_bad_input_to_write(cache: Cache) -> None:
    put(cache, "a")
    cache.folder.chmod(0o500)
    try:
        assert cache.get(key("a")) is not None
        with pytest.raises(InputError, match="cannot be written"):
            put(cache, "b")
    finally:
        cache.folder.chmod(0o700)


def test_more_than_the_disk_has_free_is_told_before_anything_is_written(cache: Cache) -> None:
    with pytest.raises(InputError, match="2000000.0 GB are needed and not free"):
        Cache(cache.folder, 10**18).put(key("a"), (10**9, 10**6), LENGTHS, fill_with(0))
    assert list(cache.folder.iterdir()) == []


def test_a_disk_that_fills_up_while_writing_is_bad_input_and_leaves_nothing(cache: Cache) -> None:
    """A limit on the size of a file stands for the disk: the write fails in the same way."""
    program = f"""
import resource, numpy as np
from pathlib import Path
from newsclf.errors import InputError
from newsclf.model.cache import Cache
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    cache = Cache(Path({str(cache.folder)!r}), 10**9)
    cache.put({key("a")!r}, (1000, 1000), np.array([1]), lambda values: None)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == f"cache folder {cache.folder} cannot be written (File too large): set cache_dir\n"
    assert list(cache.folder.iterdir()) == []
