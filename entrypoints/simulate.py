"""The door of `mlflow run . -e simulate`: `python -m entrypoints.simulate`, the same as `newsclf simulate`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["simulate", *sys.argv[1:]]))
