"""`python -m newsclf.tracking.children.supervisor COMMAND ...`: a command that ends with the process that wants it.

That process holds the other end of standard input. When it closes it, or dies however suddenly, the command and all
that it has started get SIGTERM, on which train marks its run as KILLED, and SIGKILL after GRACE seconds. This works
on every Unix; Linux's PR_SET_PDEATHSIG would reach the command alone, and not what it has started.
"""

import os
import select
import selectors
import signal
import subprocess
import sys
import time

GRACE = 60.0
STDIN, STDOUT = 0, 1


def main(command: list[str]) -> int:
    """The exit code of the command; its output is passed on. To be called by the leader of a process group."""
    if select.select([STDIN], [], [], 0)[0] and not os.read(STDIN, 1):
        return 128 + signal.SIGTERM  # the process that wants it is gone already
    # A handler, because a signal that is ignored would be ignored by the command as well.
    signal.signal(signal.SIGTERM, lambda *_: None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    output = process.stdout.fileno()
    deadline = float("inf")
    with selectors.DefaultSelector() as watched:
        watched.register(STDIN, selectors.EVENT_READ)
        watched.register(output, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in watched.select(timeout=1)}
            # Its end, and not that of the command, tells that everything the command has started is gone.
            if output in ready:
                if not (part := os.read(output, 65536)):
                    break
                os.write(STDOUT, part)
            if STDIN in ready and not os.read(STDIN, 1024):
                watched.unregister(STDIN)
                os.killpg(0, signal.SIGTERM)
                deadline = time.monotonic() + GRACE
            if time.monotonic() > deadline:
                os.killpg(0, signal.SIGKILL)
    return process.wait()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
