"""Two runs that should be equal: every metric point, the weights, and what may have made a difference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Run

from newsclf.model.weights import file_sha256
from newsclf.tracking.runs import download, store_of

# Metrics that measure the machine, which is busy now with this and now with that: their names hold one of these.
OF_THE_MACHINE = ("seconds", "_per_second", "memory_bytes", "latency")

Series = Mapping[str, Sequence[tuple[int, float]]]  # metric to (step, value), in order


@dataclass(frozen=True)
class Difference:
    """A metric that is not the same: at how many of its points, and the first of them. None: there is no such point."""

    metric: str
    points: int
    different: int
    step: int
    then: float | None
    now: float | None


def series_of(run: Run) -> Series:
    """Every metric of the run that does not measure the machine."""
    uri, run_id = store_of(run.info.run_id)
    client, found = MlflowClient(uri, uri), {}
    for name in sorted(run.data.metrics):
        if not measures_the_machine(name):
            # A point that was sent twice counts once.
            points = {
                (point.step, point.timestamp, repr(point.value)) for point in client.get_metric_history(run_id, name)
            }
            found[name] = [(step, float(value)) for step, _, value in sorted(points)]
    return found


def measures_the_machine(metric: str) -> bool:
    return any(part in metric for part in OF_THE_MACHINE)


def differences(then: Series, now: Series) -> list[Difference]:
    """Metrics whose points are not all equal, bit for bit; NaN equals NaN."""
    found = []
    for name in sorted({*then, *now}):
        one, other = list(then.get(name, ())), list(now.get(name, ()))
        length = max(len(one), len(other))
        pairs = [(one[i] if i < len(one) else None, other[i] if i < len(other) else None) for i in range(length)]
        wrong = [(a, b) for a, b in pairs if not _equal(a, b)]
        if wrong:
            a, b = wrong[0]
            step = (a or b or (0, 0.0))[0]
            found.append(Difference(name, length, len(wrong), step, a[1] if a else None, b[1] if b else None))
    return found


def weights_of(run_id: str) -> dict[str, str]:
    """SHA-256 (hex) of each file of weights of the run's model, by name. Raises MlflowException where it has none."""
    folder = download(f"runs:/{run_id}/model")
    return {str(path.relative_to(folder)): file_sha256(path) for path in sorted(folder.rglob("*.safetensors"))}


def causes(then: Run, now: Run, packages_then: Sequence[str], packages_now: Sequence[str]) -> list[str]:
    """What was not the same around the two runs, in words."""
    found = []
    (processor, threads), (processor_now, threads_now) = _machine(then), _machine(now)
    if processor != processor_now:
        found.append(f"other hardware ({processor}, now {processor_now})")
    if threads != threads_now:
        found.append(f"other number of threads ({threads}, now {threads_now})")
    for name, what in {"python": "Python", "platform": "system", "encoder_sha256": "encoder"}.items():
        before, after = (run.data.tags.get(f"newsclf.{name}", "unknown") for run in (then, now))
        if before != after:
            found.append(f"other {what} ({before[:60]}, now {after[:60]})")
    if packages := package_changes(packages_then, packages_now):
        found.append(f"other package versions ({', '.join(packages[:8])}{' ...' if len(packages) > 8 else ''})")
    return found


def package_changes(then: Sequence[str], now: Sequence[str]) -> list[str]:
    """`torch 2.13.0, now 2.12.1` for each package whose version is not the same."""
    before, after = (dict(line.split("==", 1) for line in lines if "==" in line) for lines in (then, now))
    return [
        f"{name} {before.get(name, 'missing')}, now {after.get(name, 'missing')}"
        for name in sorted({*before, *after}, key=str.lower)
        if before.get(name) != after.get(name)
    ]


def threads_of(run: Run) -> int | None:
    """Threads that the run computed with; None where it has not said so."""
    words = _machine(run)[1]
    return int(words) if words.isdigit() else None


def _machine(run: Run) -> tuple[str, str]:
    """(processor, threads) of the tag newsclf.device_name: `name, 2 threads`."""
    name = run.data.tags.get("newsclf.device_name", "unknown")
    processor, comma, threads = name.rpartition(", ")
    return (processor, threads.removesuffix(" threads")) if comma and threads.endswith("threads") else (name, "unknown")


def _equal(one: tuple[int, float] | None, other: tuple[int, float] | None) -> bool:
    if one is None or other is None:
        return False
    return one[0] == other[0] and (one[1] == other[1] or (math.isnan(one[1]) and math.isnan(other[1])))
