"""`python -m newsclf`, and the command `newsclf`."""

import signal
import sys


def main() -> int:
    """The exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until a verb takes it: Ctrl-C ends the imports without a traceback
    from newsclf import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
