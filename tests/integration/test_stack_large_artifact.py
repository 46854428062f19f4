"""An artifact of 1 GB, up and down through proxy and server, which must not hold it in memory."""

import hashlib
import os
import random
import re
import subprocess
from pathlib import Path

import pytest
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]

SIZE = 2**30
PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
ROOM = 400 * 2**20  # bytes a process may grow by; a copy of the artifact would be more


def write_sparse(path: Path) -> str:
    """A file of SIZE bytes, mostly holes, with noise at places drawn by chance; its SHA-256."""
    draw = random.Random(0)
    with path.open("wb") as file:
        for _ in range(40):
            file.seek(draw.randrange(SIZE - 2**20))
            file.write(draw.randbytes(2**20))
        file.truncate(SIZE)
    return checksum(path)


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def peaks(stack) -> dict[int, int]:
    """The most memory that each process of the server and the proxy has held, in bytes."""
    groups = {process.pid for name in ("mlflow", "proxy") for process in stack.services[name].processes}
    listed = subprocess.run(["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
    members = [int(pid) for pid, group in map(str.split, listed.splitlines()) if int(group) in groups]
    status = {pid: Path(f"/proc/{pid}/status").read_text() for pid in members}
    return {pid: int(PEAK.findall(text)[0]) * 1024 for pid, text in status.items()}


@pytest.mark.skipif(not os.path.isfile("/proc/self/status"), reason="reads /proc")
def test_a_gigabyte_goes_up_and_comes_back_equal(stack, on_stack, tmp_path):
    sent = write_sparse(tmp_path / "large.bin")
    before = peaks(stack)
    assert len(before) >= 4
    run = on_stack.create_run("0").info.run_id
    on_stack.log_artifact(run, str(tmp_path / "large.bin"))
    (tmp_path / "large.bin").unlink()
    assert [file.file_size for file in on_stack.list_artifacts(run)] == [SIZE]
    back = Path(on_stack.download_artifacts(run, "large.bin", str(tmp_path)))
    assert checksum(back) == sent
    grown = {pid: peak - before.get(pid, 0) for pid, peak in peaks(stack).items()}
    assert max(grown.values()) < ROOM
    get_artifact_repository(on_stack.get_run(run).info.artifact_uri).delete_artifacts("large.bin")
    assert on_stack.list_artifacts(run) == []
