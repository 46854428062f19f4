"""Repeated measurements in turn, and their medians as markdown."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Name = TypeVar("Name")


def medians_in_turn(measures: Mapping[Name, Callable[[], float]], repeats: int) -> dict[Name, float]:
    """The median of each measure over `repeats` rounds; every round takes each measure once, in order.

    In turn (A B A B), because a shared machine is faster in one minute than in the next.
    """
    taken: dict[Name, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: median(values) for name, values in taken.items()}


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a markdown table under its title."""
    lines = [f"\n### {title}\n", _line(header), _line(["---"] * len(header)), *map(_line, rows)]
    print("\n".join(lines), flush=True)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
