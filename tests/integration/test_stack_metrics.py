"""Prometheus scrapes the stack, and every query of the dashboard that Grafana is given has an answer."""

import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from tests.stack.compose import INFRA
from tests.stack.metrics import Prometheus, metrics_services

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]

DASHBOARD = json.loads((INFRA / "metrics" / "grafana" / "dashboards" / "newsclf.json").read_text())
QUERIES = sorted({target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())})
SOON = 120  # seconds: rates need two scrapes, 5 s apart


@pytest.fixture(scope="module")
def watched(trained_on_stack, evaluated_on_stack, run_on_stack, tmp_path_factory) -> str:
    """Runs that the dashboard is about: a model evaluated, and a labelled stream with drift monitored; its run."""
    folder = tmp_path_factory.mktemp("watched")
    stream = folder / "stream"
    run_on_stack("simulate", kind="covariate", mode="garbled", batches=3, amount=0.8, batch_rows=60, output_dir=stream)
    monitors = folder / "monitors.yaml"
    monitors.write_text(yaml.safe_dump({"monitors": [{"name": "drift", "verdict": "any", "severity": "critical"}]}))
    return run_on_stack("monitor", config=monitors, stream=stream, reference=f"runs:/{trained_on_stack}")


@pytest.fixture(scope="module")
def prometheus(needs_programs, stack, watched, tmp_path_factory) -> Iterator[Prometheus]:
    needs_programs("prometheus")
    services = metrics_services(tmp_path_factory.mktemp("metrics"), stack)
    try:
        for service in services:
            service.start()
        yield services[1]
    finally:
        for service in services:
            service.stop()


def until(prometheus: Prometheus, expression: str) -> list[dict[str, Any]]:
    """What a query comes to, once it comes to something."""
    end = time.monotonic() + SOON
    while not (found := [one for one in prometheus.query(expression) if math.isfinite(float(one["value"][1]))]):
        assert time.monotonic() < end, f"no data: {expression}\n{prometheus.query('up')}"
        time.sleep(0.5)
    return found


def test_both_targets_are_scraped(prometheus):
    until(prometheus, 'up{job="mlflow"} == 1')
    until(prometheus, 'up{job="newsclf"} == 1')


@pytest.mark.parametrize("expression", QUERIES)
def test_every_query_of_the_dashboard_has_data(prometheus, expression):
    assert until(prometheus, expression)


def test_a_wrong_login_is_among_what_is_refused(prometheus, stack):
    requests.get(stack.mlflow.url, auth=("nobody", "a guess"), timeout=60)
    assert until(prometheus, 'newsclf_refused_total{status="401"} > 0')


def test_the_figures_are_those_of_the_runs(prometheus, on_stack, watched):
    run = on_stack.get_run(watched)
    stream = run.data.tags["newsclf.stream"]
    shown = until(prometheus, f'newsclf_metric{{verb="monitor", subject="{stream}", metric="accuracy"}}')
    assert [float(one["value"][1]) for one in shown] == [run.data.metrics["accuracy"]]
