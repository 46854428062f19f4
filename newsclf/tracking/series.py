"""Numbers over batches as MLflow metric series: the step is the batch, the timestamp its date."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities import Metric

MOST_IN_A_CALL = 1000  # MLflow's own limit


def log_batch(run_id: str, step: int, when: datetime | None, numbers: Mapping[str, float]) -> None:
    """Log `numbers` by name. Those that are not finite are left out: a chart has a gap there.

    when: of the batch, with a time zone; None is now.
    """
    timestamp = int((when or datetime.now(UTC)).timestamp() * 1000)
    metrics = [
        Metric(metric_name(name), float(value), timestamp, step)
        for name, value in numbers.items()
        if math.isfinite(value)
    ]
    client = MlflowClient()
    for start in range(0, len(metrics), MOST_IN_A_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + MOST_IN_A_CALL])


def metric_name(name: str) -> str:
    """`name` with `_` for what MLflow refuses in a metric's name (it may hold `/`, but not at its ends)."""
    return "/".join(metric_part(part) for part in name.split("/"))[:250]


def metric_part(text: str) -> str:
    """`text` as one part of a metric's name."""
    return re.sub(r"[^\w.\- ]", "_", text).strip(" .") or "_"
