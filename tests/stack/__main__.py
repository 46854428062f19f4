"""`python -m tests.stack [folder]`: the stack until Ctrl-C. Its state stays in the folder, or goes if none is named."""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.stack import missing, native_stack


def main(arguments: list[str]) -> int:
    if lacking := missing():
        print(f"not installed: {', '.join(lacking)}; see .ci/run", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as until_the_end:
        temporary = until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="newsclf-stack-"))
        stack = until_the_end.enter_context(native_stack(Path(arguments[0] if arguments else temporary)))
        for name, value in stack.environment().items():
            print(f"export {name}={value}")
        print(f"# {stack.uri} (name {stack.admin[0]}); Ctrl-C stops it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
