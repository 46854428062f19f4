"""What the exporter shows: the newest run on each stream and model, and no class's own metrics."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"
Shown = dict[tuple[str, ...], float]

pytestmark = pytest.mark.integration  # MLflow's tables take seconds to make


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("exporter")
    uri = f"sqlite:///{folder / 'runs.db'}"
    client = MlflowClient(uri)

    def run(experiment: str, start: int, tags: dict[str, str], metrics: dict[str, float]) -> None:
        known = client.get_experiment_by_name(experiment)
        number = known.experiment_id if known else client.create_experiment(experiment, str(folder))
        tags = {f"newsclf.{name}": value for name, value in tags.items()}
        made = client.create_run(number, start_time=start * 1000, tags=tags)
        for name, value in metrics.items():
            client.log_metric(made.info.run_id, name, value)

    run("a", 30, {"verb": "monitor", "stream": "one"}, {"accuracy": 0.7, "alerts/warning": 2, "prior/p_value": 0.01})
    run("a", 10, {"verb": "monitor", "stream": "one"}, {"accuracy": 0.1})
    run("a", 20, {"verb": "monitor", "stream": "two"}, {"drifted": 1.0, "label/sport": 0.5, "length/mean": 3.0})
    run("b", 40, {"verb": "monitor", "stream": "one"}, {"accuracy": 0.8})
    run("a", 50, {"verb": "monitor", "stream": "one"}, {})  # just begun
    run("b", 60, {"verb": "evaluate", "model": "models:/m@champion"}, {"macro_f1": 0.9, "f1/sport": 0.2})
    run("b", 70, {"verb": "train"}, {"accuracy": 0.99})
    return uri


@pytest.fixture
def shown(store: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, Shown]]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.syspath_prepend(str(INFRA / "metrics"))
    sys.modules.pop("exporter", None)
    Runs = import_module("exporter").Runs

    def collect() -> dict[str, Shown]:
        return {
            family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
            for family in Runs().collect()
        }

    return collect


def test_the_newest_run_on_each_subject_of_each_experiment_is_shown(shown: Callable[[], dict[str, Shown]]) -> None:
    assert shown() == {
        "newsclf_metric": {
            ("a", "monitor", "one", "accuracy"): 0.7,
            ("a", "monitor", "one", "alerts/warning"): 2.0,
            ("a", "monitor", "one", "prior/p_value"): 0.01,
            ("a", "monitor", "two", "drifted"): 1.0,
            ("b", "monitor", "one", "accuracy"): 0.8,
            ("b", "evaluate", "models:/m@champion", "macro_f1"): 0.9,
        },
        "newsclf_run_start_seconds": {
            ("a", "monitor", "one"): 30.0,
            ("a", "monitor", "two"): 20.0,
            ("b", "monitor", "one"): 40.0,
            ("b", "evaluate", "models:/m@champion"): 60.0,
        },
    }
