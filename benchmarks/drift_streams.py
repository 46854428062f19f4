"""Changes over time: how soon a slow drift is found, where its begin is put, how often nothing is called one."""

from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.drift import BATCH, Pool, draw_reference, pools
from benchmarks.tables import show
from newsclf.data.simulation import injections
from newsclf.drift.over_time import Change, changes_in

QUIET, BEGIN, GROWING = 100, 20, 15  # batches without change; the first changed one; batches that grow


def stream(pool: Pool, random: np.random.Generator, batches: int, begin: int, growth: float) -> list[Change]:
    """The changes found in batches of which those from `begin` on hold `growth` more foreign texts each."""
    reference, _, rows = draw_reference(pool, random, seed=int(random.integers(1000)))
    verdicts = []
    for number in range(batches):
        chosen = random.choice(rows, BATCH, replace=False)
        share = max(0, number - begin + 1) * growth
        texts = injections.foreign(pool.texts[chosen].tolist(), pool.foreign, share, random)
        verdicts.append(reference.judge(texts))
    return changes_in(verdict.smallest_p_value for verdict in verdicts)


def main(data_dir: Path, repeats: int) -> None:
    lines = []
    for pool in pools(data_dir):
        random = np.random.default_rng(0)
        growing = [stream(pool, random, BEGIN + GROWING, BEGIN, 0.01) for _ in range(repeats)]
        # A change that was seen before it began is a false alarm, not an early one.
        found = [next((change for change in changes if change.detected >= BEGIN), None) for changes in growing]
        seen = [change for change in found if change is not None]
        delays = [change.detected - BEGIN + 1 for change in seen]
        off = [abs(change.begin - BEGIN) for change in seen]
        in_time = sum(delay <= 10 for delay in delays) / repeats
        named = sum(change.kind == "incremental" for change in seen) / max(1, len(seen))
        lines.append(
            [
                pool.name,
                f"+1 % foreign texts a batch from batch {BEGIN}",
                str(repeats),
                f"within 10 batches in {in_time:.0%}; after {median(delays):.0f} (median), begin off by "
                f"{median(off):.0f}, at most {max(off)}; named incremental in {named:.0%}",
            ]
        )
        calm = [len(stream(pool, random, QUIET, QUIET, 0)) for _ in range(repeats)]
        lines.append(
            [pool.name, f"nothing, {QUIET} batches", str(repeats), f"{sum(calm)} false alarms in all (<= 1 each)"]
        )
        print(lines[-2:], flush=True)
    show("Changes over time, no labels", ["data", "put in", "streams", "found"], lines)
