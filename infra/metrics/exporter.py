"""The latest numbers of monitored streams and evaluated models, read from MLflow at every scrape, for Prometheus.

    newsclf_metric{experiment, verb, subject, metric}       of the newest run on a subject
    newsclf_run_start_seconds{experiment, verb, subject}    when that run began (Unix time)

A subject is the stream of a monitor, or the model of an evaluation. Of the metrics with a `/` in their name (those of a
class or column) only alerts, effects and p-values of drift are shown.
Environment: MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, EXPORTER_HOST, EXPORTER_PORT.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Run
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SUBJECTS = {"monitor": "newsclf.stream", "evaluate": "newsclf.model"}  # verb -> the tag that names its subject
NEWEST = 200  # runs of a verb that are looked at
SHOWN = re.compile(r"[^/]+|alerts?/.*|[a-z]+/(effect|p_value)")
LABELS = ["experiment", "verb", "subject"]


def newest_runs(client: MlflowClient, verb: str, experiments: list[str]) -> Iterator[tuple[str, Run]]:
    """(subject, its newest run), of the newest runs of a verb. A subject is named once for each experiment."""
    found = client.search_runs(
        experiments, f"tags.`newsclf.verb` = '{verb}'", max_results=NEWEST, order_by=["attributes.start_time DESC"]
    )
    seen = set()
    for run in found:
        subject = run.data.tags.get(SUBJECTS[verb])
        place = (run.info.experiment_id, subject)
        if subject and run.data.metrics and place not in seen:
            seen.add(place)
            yield subject, run


class Runs(Collector):
    """Asks the server at every scrape; where it does not answer the scrape fails, and Prometheus sees `up` 0."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        client = MlflowClient()
        names = {one.experiment_id: one.name for one in client.search_experiments()}
        numbers = GaugeMetricFamily("newsclf_metric", "Latest value in the newest run.", labels=[*LABELS, "metric"])
        starts = GaugeMetricFamily("newsclf_run_start_seconds", "Begin of the newest run.", labels=LABELS)
        for verb in SUBJECTS:
            for subject, run in newest_runs(client, verb, list(names)):
                labels = [names[run.info.experiment_id], verb, subject]
                starts.add_metric(labels, run.info.start_time / 1000)
                for name, value in run.data.metrics.items():
                    if SHOWN.fullmatch(name):
                        numbers.add_metric([*labels, name], value)
        yield numbers
        yield starts


def main() -> None:
    # The registry would ask once for nothing when it takes the collector, and the server may still be starting.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Runs())
    start_http_server(
        int(os.environ.get("EXPORTER_PORT", "9200")), os.environ.get("EXPORTER_HOST", "0.0.0.0"), registry
    )
    threading.Event().wait()


if __name__ == "__main__":
    main()
