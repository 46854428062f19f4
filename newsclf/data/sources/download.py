"""One file from the web: with progress, checked, retried, and either whole or not there."""

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from newsclf.errors import InputError
from newsclf.fetching import may_fetch
from newsclf.files import in_one_step
from newsclf.messages import one_line

ATTEMPTS = 4  # once, and three tries more
BACK_OFF_S = 1.0  # before the second attempt; doubled before each further one
TIMEOUT_S = 20.0  # to connect, and between two pieces
PIECE = 1 << 18  # bytes
RETRIED_STATUS = (408, 429)  # and all from 500 on: others will not mend by themselves


def download(url: str, path: Path, algorithm: str, checksum: str, supply: str) -> None:
    """Gets `url` into `path`, which appears only whole and with the right checksum.

    algorithm, checksum: a hashlib name and the hex digest that the file must have.
    supply: how the user can put the file there, the end of the error message.
    Raises InputError that names the file, its source and `supply`, and leaves nothing behind.
    """
    import requests

    may_fetch(f"{path.name} ({url})")
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with in_one_step(path) as unfinished:
                    found = _fetch(url, path.name, unfinished, algorithm)
                    if found != checksum:
                        raise _WrongChecksum(f"its {algorithm.upper()} is {found}, not {checksum}")
                return
            except (requests.RequestException, _WrongChecksum) as error:
                if attempt == ATTEMPTS or not _worth_a_retry(error):
                    raise
                _say(f"{path.name}: {one_line(_reason(error))}; trying again ({attempt} of {ATTEMPTS - 1})")
                time.sleep(BACK_OFF_S * 2 ** (attempt - 1))
    except (requests.RequestException, _WrongChecksum) as error:
        raise InputError(
            f"cannot download {path.name} from {url} ({one_line(_reason(error), 200)}); {supply}"
        ) from None
    except OSError as error:
        reason = error.strerror or one_line(error)
        raise InputError(f"cannot write {path} ({reason}); set data_dir to a folder that can be") from None


class _WrongChecksum(Exception):
    """A whole answer with other content than it should have: worth another try, as proxies do break files."""


def _fetch(url: str, name: str, path: Path, algorithm: str) -> str:
    """Writes the answer to `path` and returns its digest; `name` is what the progress shows."""
    import requests

    digest = hashlib.new(algorithm)
    # Not compressed on the way, so that Content-Length is the length of the file.
    with requests.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        size = int(answer.headers.get("Content-Length", 0))
        with path.open("wb") as file, _progress(name, size) as count:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
                digest.update(piece)
                count(len(piece))
    return digest.hexdigest()


def _worth_a_retry(error: Exception) -> bool:
    answer = getattr(error, "response", None)
    return answer is None or answer.status_code >= 500 or answer.status_code in RETRIED_STATUS


def _reason(error: Exception) -> str:
    """The innermost words of a requests error: its outer ones repeat host, pool and address."""
    import requests

    if isinstance(error, requests.Timeout):
        return f"no answer in {TIMEOUT_S:.0f} s"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code} {error.response.reason}"
    text = str(error)
    known = ("failed to resolve", "connection refused", "network is unreachable", "certificate verify failed")
    return next((words for words in known if words in text.lower()), text)


@contextmanager
def _progress(name: str, size: int) -> Iterator[Callable[[int], object]]:
    """A function to call with each number of bytes: moves a bar on a terminal, else prints quarters as lines.

    size: bytes in all; 0 if not known.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=size or None, desc=name, unit="B", unit_scale=True) as bar:
            yield bar.update
        return

    here = 0

    def count(more: int) -> None:
        nonlocal here
        before, here = here, here + more
        if size and 4 * here // size > 4 * before // size:
            _say(f"{name}: {here / 1e6:.1f} of {size / 1e6:.1f} MB")

    yield count


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
