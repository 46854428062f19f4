"""The two ways a command ends early: the user's input is bad, or the user stops it."""


class InputError(Exception):
    """Bad input: an option, a file, a row, a server.

    The message is one line that says what is wrong, where, and what to do. The entry points
    print it without a traceback and end with exit code 2.
    """


class Stopped(BaseException):
    """The process was asked to stop (Ctrl-C, SIGTERM).

    Not a KeyboardInterrupt: libraries catch that one and end the process before the run is marked.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.signal_number = signal_number
