"""A server as the tests need one: started until it answers, stopped or killed by process id, started again."""

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_S, STOP_S = 120.0, 10.0
# Settings of whoever runs the tests that would reach into the servers.
FOREIGN = ("AWS_", "MLFLOW_", "MYSQL", "NEWSCLF_", "PROMETHEUS_", "PYTHONPATH", "XDG_")


class Service:
    """One server: its processes, each the head of a process group of its own, and its files in `folder`."""

    name: str

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder / "log"
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
        self.environment = inherited | (environment or {})
        self.processes: list[subprocess.Popen[bytes]] = []

    def prepare(self) -> None:
        """Make what the server needs before its first start; called once for a folder."""

    def commands(self) -> Iterator[list[str]]:
        """The command line of each process."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server does its work now. May raise OSError where it does not."""
        raise NotImplementedError

    def start(self) -> None:
        """Start every process and wait until the server answers.

        Raises RuntimeError, with the end of the log, where it ends by itself or stays silent for START_S.
        """
        stamp = self.folder / "prepared"
        if not stamp.exists():
            self.folder.mkdir(parents=True, mode=0o700)  # never on top of what is not ours, or half made
            self.prepare()
            stamp.touch()
        with self.log.open("ab") as log:
            for command in self.commands():
                self.processes.append(
                    subprocess.Popen(
                        command,
                        cwd=self.folder,
                        env=self.environment,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        end = time.monotonic() + START_S
        while not self._answers():
            if any(process.poll() is not None for process in self.processes) or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{self.name} did not start: {self.last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask every process to end, and wait for it; what is left of a group after STOP_S is killed."""
        self._signal(signal.SIGTERM)
        end = time.monotonic() + STOP_S
        for process in self.processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                break
        self.kill()

    def kill(self) -> None:
        """End every process at once, as a loss of power would."""
        self._signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes = []

    def run(self, *command: str | Path, **environment: str) -> str:
        """A command in the server's folder and environment; what it prints. Raises RuntimeError where it fails."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def _answers(self) -> bool:
        try:
            return self.answers()
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        for process in self.processes:
            # The group outlives its head where a worker hangs, so it is not asked whether the head still runs.
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                continue


def listens(port: int) -> bool:
    """Whether somebody accepts connections on the port of 127.0.0.1; raises OSError where nobody does."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, below those that outgoing connections are given.

    So none is taken by a client's own connection while its server is down.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def program(name: str) -> str:
    """Where the program is. Debian keeps servers in /usr/sbin, which is not on everybody's PATH."""
    found = shutil.which(
        name, path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
    )
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found
