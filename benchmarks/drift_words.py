"""How often `Reference.judge` sees small changes that say themselves in words, and how often it is wrong about none.

AG News without labels: batches of 1,000 texts against references of 3,000, each reference drawn anew for every batch.
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from scipy import stats

from benchmarks.drift import pools
from benchmarks.tables import show
from newsclf.drift import fit_reference

REFERENCE, BATCH = 3000, 1000
SIGNATURE = " Sent from the newsroom desk, all rights reserved by the publisher here"
AGENCY = re.compile(r"\((?:Reuters|AP|AFP)\)")
SPELLING = {
    "color": "colour", "labor": "labour", "defense": "defence", "center": "centre", "organization": "organisation",
    "favorite": "favourite", "honor": "honour", "program": "programme", "theater": "theatre", "percent": "per cent",
    "license": "licence", "traveler": "traveller", "neighbor": "neighbour", "analyze": "analyse", "gray": "grey",
}  # fmt: skip
AMERICAN = re.compile(rf"\b({'|'.join(SPELLING)})(?=s?\b)")

Change = Callable[[list[str], np.random.Generator], list[str]]


def _some(share: float, change: Callable[[str, np.random.Generator], str]) -> Change:
    return lambda texts, random: [change(text, random) if random.random() < share else text for text in texts]


def _typos(text: str, random: np.random.Generator) -> str:
    """Two neighbours in each word of ten swapped, from its second letter on."""
    words = text.split()
    for place, word in enumerate(words):
        if len(word) > 3 and random.random() < 0.1:
            at = int(random.integers(1, len(word) - 1))
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def _burst(texts: list[str], random: np.random.Generator) -> list[str]:
    """One text in 3 % of the rows, each time with another number behind it."""
    count = 3 * len(texts) // 100
    return [*texts[count:], *(f"{texts[0]} {number}" for number in range(count))]


CASES: dict[str, Change] = {
    "nothing": lambda texts, _: texts,
    "tags of news agencies stripped": lambda texts, _: [AGENCY.sub("", text) for text in texts],
    "`(Reuters)` becomes `AP -`": lambda texts, _: [text.replace("(Reuters)", "AP -") for text in texts],
    "British spelling": lambda texts, _: [AMERICAN.sub(lambda found: SPELLING[found[1]], text) for text in texts],
    "a signature of 12 words in 5 %": _some(0.05, lambda text, _: text + SIGNATURE),
    "one story in 3 %": _burst,
    "typos in 10 %": _some(0.1, _typos),
}


def main(data_dir: Path, repeats: int = 100) -> None:
    pool = pools(data_dir)[0]
    random, said, seconds = np.random.default_rng(0), defaultdict[str, int](int), list[float]()
    for number in range(repeats):
        rows = random.choice(len(pool.texts), REFERENCE + BATCH, replace=False)
        reference = fit_reference(pool.texts[rows[:REFERENCE]].tolist(), seed=number)
        texts = pool.texts[rows[REFERENCE:]].tolist()
        for name, change in CASES.items():
            began = time.perf_counter()
            said[name] += bool(reference.judge(change(texts, random)).drifted)
            seconds.append(time.perf_counter() - began)
    lines = []
    for name in CASES:
        interval = stats.binomtest(said[name], repeats).proportion_ci(method="exact")
        share = f"{said[name] / repeats:.0%} ({interval.low:.0%} to {interval.high:.0%})"
        lines.append([name, str(repeats), share])
    show(
        f"Small changes of AG News, no labels: reference {REFERENCE:,}, batch {BATCH:,}; 95 % interval in brackets",
        ["changed", "batches", "says drift"],
        lines,
    )
    print(f"\nMedian seconds a batch: {median(seconds):.2f}")
