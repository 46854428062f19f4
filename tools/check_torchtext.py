"""Proves that both readers of AG News give the same rows.

Runs where torchtext does, in the environment of `make check-torchtext`:
`python -m tools.check_torchtext [--data-dir FOLDER]`. Exit code 0: identical, 1: not, 2: cannot tell.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from newsclf.data.sources.ag_news import Split, find_files, read_split
from newsclf.data.sources.paths import data_root
from newsclf.errors import InputError

# What the format and its artefacts have to offer: quotes, commas, line breaks, entities, backslashes.
ROWS = (
    ("1", "Treaty signed, at last", 'The envoy said: "It is done."'),
    ("2", "Late goal #39;s worth gold", "The keeper, 41,\\never saw it; neither did we."),
    ("3", "Mill  amp; Sons cut #36;2bn of debt", "Shares of &lt;b&gt;Mill&lt;/b&gt; rose\nby a tenth."),
    ("4", "A probe\r\nwakes", "  quot;Hello quot;, it wrote \\\\ and slept again.  "),
    ("4", "Ångström — 'tiny', but \"not\" nothing", ""),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares row by row, prints what it found, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_torchtext", description=__doc__)
    parser.add_argument("--data-dir", default="", help="folder with ag_news/; empty: a small file made here")
    data_dir = parser.parse_args(arguments).data_dir
    try:
        if data_dir:
            return compare(find_files(data_root(data_dir)))
        with tempfile.TemporaryDirectory() as folder:
            return compare(write_files(Path(folder)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def compare(files: dict[Split, Path]) -> int:
    """0 if both readers give the same rows of all files, else 1."""
    different = 0
    for split, path in files.items():
        ours = read_split(path, split, "csv").to_numpy().tolist()
        theirs = read_split(path, split, "torchtext").to_numpy().tolist()
        print(f"{path}: {len(ours)} rows by csv, {len(theirs)} by torchtext")
        if ours == theirs:
            continue
        different += 1
        both = zip_longest(ours, theirs)
        row, (our, their) = next((n, pair) for n, pair in enumerate(both, start=1) if pair[0] != pair[1])
        print(f"  first difference at row {row}:\n    csv       {our}\n    torchtext {their}")
    print("different" if different else "identical")
    return 1 if different else 0


def write_files(folder: Path) -> dict[Split, Path]:
    """ROWS as train.csv and test.csv in the official format: no header, all fields quoted."""
    files: dict[Split, Path] = {"train": folder / "train.csv", "test": folder / "test.csv"}
    for path in files.values():
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(ROWS)
    return files


if __name__ == "__main__":
    sys.exit(main())
