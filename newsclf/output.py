"""What is printed, where nobody can read it any more."""

import contextlib
import errno
import io
import os
import sys
from pathlib import Path

NOBODY = (errno.EPIPE, errno.EIO)  # a pipe whose reader has ended (`| head`), a terminal that is gone


class _Output(io.TextIOWrapper):
    """A stream that becomes the null device's when nobody reads it: the work goes on without it."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._write_nowhere(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._write_nowhere(error)
            super().flush()

    def _write_nowhere(self, error: OSError) -> None:
        if error.errno not in NOBODY:
            raise error
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.fileno())


def outlive_readers() -> None:
    """Let this process's standard output and error be read to the end or not, and take every character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, _Output):
            continue
        with contextlib.suppress(AttributeError, OSError):  # None where it is closed; no file descriptor in a notebook
            stream.flush()
            raw = io.FileIO(stream.fileno(), "wb", closefd=False)
            kept = {"encoding": stream.encoding, "errors": "backslashreplace", "line_buffering": stream.line_buffering}
            setattr(sys, name, _Output(io.BufferedWriter(raw), write_through=name == "stderr", **kept))
