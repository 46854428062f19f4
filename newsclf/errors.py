"""How a command ends that is not simply done: bad input, a stop, an alert that was asked for, a server that is away."""


class InputError(Exception):
    """Bad input: an option, a file, a row, a server.

    The message is one line that says what is wrong, where, and what to do. The entry points
    print it without a traceback and end with exit code 2.
    """


class SecretGiven(InputError):
    """An option was given a password or a token, and options are logged. option: its name."""

    def __init__(self, message: str, option: str) -> None:
        super().__init__(message)
        self.option = option


class Stopped(BaseException):
    """The process was asked to stop (Ctrl-C, SIGTERM, a closed terminal).

    Not a KeyboardInterrupt: libraries catch that one and end the process before the run is marked. marked: whether it
    has been.
    """

    marked = False

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.signal_number = signal_number


class Alarm(Exception):
    """What is watched is not as it should be, and the user asked to be told by the exit code.

    The work is done and its run FINISHED. The entry points print the line and end with exit code 3.
    """


class Differs(Exception):
    """A run was run again and is not the same.

    The work is done and its run FINISHED. The entry points print the line and end with exit code 4.
    """


class Unsent(Exception):
    """A tracking server does not answer, and what it should have got is kept for later.

    The entry points print the line and end with exit code 1.
    """


# Libraries put a full disk in words of their own kinds of error: the system's, SQLite's.
DISK_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full")


def disk_full(error: BaseException) -> str:
    """The line of the error's message that tells of a full disk; empty for any other error."""
    return next((line for line in str(error).splitlines() if any(sign in line for sign in DISK_FULL)), "")
