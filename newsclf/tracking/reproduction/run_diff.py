"""Two runs that should be equal: every metric point, the weights, and what may have made a difference."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from newsclf.files import file_checksum
from newsclf.tracking.runs import LoggedRun, download, metric_points

# Metrics that measure the machine, which is busy now with this and now with that: their names hold one of these.
OF_THE_MACHINE = ("seconds", "_per_second", "memory_bytes", "latency")

Series = Mapping[str, Sequence[tuple[int, float]]]  # metric to (step, value), in order


@dataclass(frozen=True)
class Difference:
    """A metric that is not the same: at how many of its points, and the first of them.

    earlier, later: its value in each of the runs; None where there is no such point.
    """

    metric: str
    points: int
    different: int
    step: int
    earlier: float | None
    later: float | None


def series_of(run: LoggedRun) -> Series:
    """Every metric of the run that does not measure the machine."""
    return {
        name: [(point.step, float(point.value)) for point in metric_points(run.info.run_id, name)]
        for name in sorted(run.data.metrics)
        if not measures_the_machine(name)
    }


def measures_the_machine(metric: str) -> bool:
    """Whether two equal runs differ in it.

    >>> [measures_the_machine(name) for name in ("seconds/training", "val_loss")]
    [True, False]
    """
    return any(part in metric for part in OF_THE_MACHINE)


def differences(earlier: Series, later: Series) -> list[Difference]:
    """Metrics whose points are not all equal, bit for bit; NaN equals NaN.

    >>> differences({"val_loss": [(0, 0.5), (1, 0.25)]}, {"val_loss": [(0, 0.5)]})
    [Difference(metric='val_loss', points=2, different=1, step=1, earlier=0.25, later=None)]
    """
    found = []
    for name in sorted({*earlier, *later}):
        pairs = list(zip_longest(earlier.get(name, ()), later.get(name, ())))
        wrong = [(a, b) for a, b in pairs if not _equal(a, b)]
        if wrong:
            a, b = wrong[0]
            step = (a or b)[0]
            found.append(Difference(name, len(pairs), len(wrong), step, a[1] if a else None, b[1] if b else None))
    return found


def weights_of(run_id: str) -> dict[str, str]:
    """SHA-256 (hex) of each file of weights of the run's model, by name. Raises MlflowException where it has none."""
    folder = download(f"runs:/{run_id}/model")
    return {str(path.relative_to(folder)): file_checksum(path) for path in sorted(folder.rglob("*.safetensors"))}


def causes(
    earlier: LoggedRun, later: LoggedRun, packages_earlier: Sequence[str], packages_later: Sequence[str]
) -> list[str]:
    """What was not the same around the two runs, in words. packages: the lines of `pip freeze`."""
    found = []
    (processor, threads), (processor_now, threads_now) = _machine(earlier), _machine(later)
    if processor != processor_now:
        found.append(f"other hardware ({processor}, now {processor_now})")
    if threads != threads_now:
        found.append(f"other number of threads ({threads}, now {threads_now})")
    for name, what in {"python": "Python", "platform": "system", "encoder_sha256": "encoder"}.items():
        before, after = (run.data.tags.get(f"newsclf.{name}", "unknown") for run in (earlier, later))
        if before != after:
            found.append(f"other {what} ({before[:60]}, now {after[:60]})")
    if packages := package_changes(packages_earlier, packages_later):
        found.append(f"other package versions ({', '.join(packages[:8])}{' ...' if len(packages) > 8 else ''})")
    return found


def package_changes(earlier: Sequence[str], later: Sequence[str]) -> list[str]:
    """Each package whose version is not the same, with both.

    >>> package_changes(["torch==2.13.0", "numpy==1.26.4"], ["torch==2.12.1", "numpy==1.26.4"])
    ['torch 2.13.0, now 2.12.1']
    """
    before, after = (dict(line.split("==", 1) for line in lines if "==" in line) for lines in (earlier, later))
    return [
        f"{name} {before.get(name, 'missing')}, now {after.get(name, 'missing')}"
        for name in sorted({*before, *after}, key=str.lower)
        if before.get(name) != after.get(name)
    ]


def threads_of(run: LoggedRun) -> int | None:
    """Threads that the run computed with; None where it has not said so."""
    words = _machine(run)[1]
    return int(words) if words.isdigit() else None


def _machine(run: LoggedRun) -> tuple[str, str]:
    """(processor, threads) of the tag newsclf.device_name: `name, 2 threads`."""
    name = run.data.tags.get("newsclf.device_name", "unknown")
    processor, comma, threads = name.rpartition(", ")
    return (processor, threads.removesuffix(" threads")) if comma and threads.endswith("threads") else (name, "unknown")


def _equal(one: tuple[int, float] | None, other: tuple[int, float] | None) -> bool:
    if one is None or other is None:
        return False
    return one[0] == other[0] and (one[1] == other[1] or (math.isnan(one[1]) and math.isnan(other[1])))
