import signal

import pytest

from newsclf.errors import Stopped, disk_full


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device", "run.json"), "[Errno 28] No space left on device: 'run.json'"),
        (OSError(122, "Disk quota exceeded"), "[Errno 122] Disk quota exceeded"),
        (
            RuntimeError("insert failed\n(sqlite3) database or disk is full\nat line 3"),
            "(sqlite3) database or disk is full",
        ),
        (OSError(13, "Permission denied"), ""),
    ],
)
def test_a_full_disk_is_told_in_many_words(error: Exception, line: str) -> None:
    assert disk_full(error) == line


def test_a_stop_passes_by_what_catches_errors_and_ctrl_c() -> None:
    stopped = Stopped(signal.SIGTERM)
    assert (stopped.signal_number, str(stopped)) == (15, "stopped by signal 15")
    assert not isinstance(stopped, Exception | KeyboardInterrupt)
