"""Profiling without embeddings: rows a second beside bare whylogs on the same columns, and memory by rows."""

import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pandas as pd

from benchmarks.tables import medians_in_turn, show
from newsclf.config import DataOptions
from newsclf.data import open_stream
from newsclf.features.text_statistics import text_statistics
from newsclf.features.tokens import TokenCounter
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import duplicate_share

ROWS, CHUNK = 50_000, 10_000
MEMORY_ROWS = (100_000, 1_000_000)


def counter() -> TokenCounter:
    from newsclf.model.weights import find

    return TokenCounter(find("minilm").folder)


def profiled(chunks: list[pd.DataFrame], tokens: TokenCounter | None) -> TextProfile:
    """The profile of all columns that need no embedding."""
    profile = TextProfile()
    for chunk in chunks:
        columns = text_statistics(chunk["text"].tolist(), tokens)
        profile.log(pd.concat([chunk.reset_index(drop=True), columns], axis=1))
    return profile


def seconds(act: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    return measure


def speed(rows: pd.DataFrame, repeats: int) -> None:
    import whylogs

    tokens = counter()
    chunks = [rows.iloc[begin : begin + CHUNK] for begin in range(0, len(rows), CHUNK)]
    texts = rows["text"].tolist()
    frame = pd.concat([rows.reset_index(drop=True), text_statistics(texts, tokens)], axis=1)
    frames = [frame.iloc[begin : begin + CHUNK] for begin in range(0, len(frame), CHUNK)]

    def logged() -> None:
        profile = TextProfile()
        for part in frames:
            profile.log(part)

    taken = medians_in_turn(
        {
            "statistics without tokens": seconds(lambda: text_statistics(texts)),
            "tokens": seconds(lambda: [tokens.token_numbers(chunk["text"].tolist()) for chunk in chunks]),
            "profile of the finished columns": seconds(logged),
            "all: texts to profile": seconds(lambda: profiled(chunks, tokens)),
            "bare whylogs.log of the finished columns": seconds(lambda: whylogs.log(frame)),
        },
        repeats,
    )
    bare = taken["bare whylogs.log of the finished columns"]
    show(
        f"Profiling {len(rows):,} AG News rows, {frame.shape[1]} columns, chunks of {CHUNK:,}, {os.cpu_count()} cores",
        ["step", "s", "rows/s", "speed, bare whylogs.log = 1", "target"],
        [
            [name, f"{s:.2f}", f"{len(rows) / s:,.0f}", f"{bare / s:.1f}", ">= 20,000, >= 1" if "all" in name else ""]
            for name, s in taken.items()
        ],
    )


def memory(rows: pd.DataFrame) -> None:
    """Peak memory of a process that profiles a CSV file; AG News again and again, until it has the rows."""
    peaks = []
    for count in MEMORY_ROWS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "table.csv")
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["text", "label"])
                writer.writerows(islice(cycle(zip(rows["text"], rows["label"], strict=True)), count))
            command = [sys.executable, "-m", "benchmarks.profiling", str(path)]
            peaks.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    show(
        "Peak memory of profiling a CSV file",
        ["rows", "MB", f"{MEMORY_ROWS[0]:,} rows = 1", "target"],
        [
            [f"{count:,}", f"{peak:.0f}", f"{peak / peaks[0]:.2f}", "<= 1.10" if count > MEMORY_ROWS[0] else ""]
            for count, peak in zip(MEMORY_ROWS, peaks, strict=True)
        ],
    )


def main(data_dir: str, repeats: int) -> None:
    stream = open_stream(DataOptions(dataset="ag_news", data_dir=data_dir), "train")
    rows = next(stream.chunks(ROWS))
    speed(rows, repeats)
    memory(rows)


def _measured(path: str) -> None:
    """Profile one table and print the peak memory in MB."""
    tokens, profile = counter(), TextProfile()
    for chunk in open_stream(DataOptions(dataset=path)).chunks(CHUNK):
        columns = text_statistics(chunk["text"].tolist(), tokens)
        profile.log(pd.concat([chunk.reset_index(drop=True), columns], axis=1))
    assert duplicate_share(profile) < 1
    # Not getrusage: of a child, that counts the parent's memory as well.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    print(int(peak[1]) / 1024)


if __name__ == "__main__":
    _measured(sys.argv[1])
