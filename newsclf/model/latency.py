"""How long models take for one text, measured side by side."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

WARM_UP = 5


def median_milliseconds(models: Sequence[Callable[[list[str]], Any]], texts: Sequence[str]) -> list[float]:
    """The median over `texts` of each model's time for a single one.

    The models take turns at each text, and at beginning, so that what else the machine does falls on all alike.
    """
    taken: list[list[float]] = [[] for _ in models]
    for number, text in enumerate([*texts[:WARM_UP], *texts]):
        for turn in range(len(models)):
            place = (number + turn) % len(models)
            began = time.perf_counter()
            models[place]([text])
            taken[place].append(1000 * (time.perf_counter() - began))
    return [median(times[min(WARM_UP, len(texts)) :]) for times in taken]
