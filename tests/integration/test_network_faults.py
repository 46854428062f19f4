"""Whatever a network does to requests and answers, the run goes on, and the server ends up with each record once.

A real server, the real client, and a proxy between the two that misbehaves by rule; the run has one of everything.
NEWSCLF_TEST_FAULTS=<number> tries as many seeded faults in place of a few.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests import small_run
from tests.faulty_proxy import FaultyProxy, Rule
from tests.integration.conftest import Place
from tests.stack.client import Client

pytestmark = pytest.mark.integration

SEEDED = int(os.environ.get("NEWSCLF_TEST_FAULTS", "4"))


@dataclass
class Trial:
    """rules: while the run is made; first_sync: while `sync` is called for the first time (None: it is not)."""

    rules: list[Rule]
    send_timeout: float = 60
    first_sync: list[Rule] | None = field(default_factory=lambda: None)


# What is made, of each kind: a run, a model, a version, and the experiment and the registered model before them.
MADE = {
    "experiment": "POST .*/experiments/create",
    "run": "POST .*/runs/create",
    "model": "POST .*/logged-models$",
    "output": "POST .*/runs/outputs",
    "inputs": "POST .*/runs/log-inputs",
    "registered model": "POST .*/registered-models/create",
    "version": "POST .*/model-versions/create",
    "alias": "POST .*/registered-models/alias",
    "end": "POST .*/runs/update",
}
LOST = {
    "lost": partial(Rule, "exec_then_drop", times=1),
    "late": partial(Rule, "exec_then_status", code=504, times=2),
    "doubled": partial(Rule, "dup"),
}
TRIALS = {f"{what} {how}": Trial([rule(match=match)]) for what, match in MADE.items() for how, rule in LOST.items()}
TRIALS |= {
    "nothing": Trial([]),
    "all doubled": Trial([Rule("dup")]),
    "all lost at first": Trial([Rule("exec_then_status", "POST|PUT|PATCH", times=12, code=502)]),
    "an hour to wait at first": Trial([Rule("status", "runs/create", times=1, code=429, retry_after=3600)]),
    "an hour to wait": Trial([Rule("status", "log-batch", times=1, code=503, retry_after=3600)]),
    "a portal takes the files": Trial([Rule("html", "PUT")], 5),
    "a portal takes one file": Trial([Rule("html", "PUT .*safetensors", times=1)]),
    "a portal takes one of equal size": Trial([Rule("html", "PUT .*report.html", times=1, skip=1)]),
    "a portal takes the points": Trial([Rule("empty", "log-batch", times=2, skip=1)]),
    "a portal that speaks JSON": Trial([Rule("json")], 2, []),
    "a portal that speaks JSON takes what is made": Trial([Rule("json", "POST|PATCH", times=9)]),
    "an empty yes to everything": Trial([Rule("empty")], 2, []),
    "a portal": Trial([Rule("html")], 2, []),
    "elsewhere": Trial([Rule("redirect", to="http://127.0.0.1:1/portal")], 2, []),
    "hangs": Trial([Rule("hang")], 2, []),
    "hangs after it was made": Trial([Rule("hang", "log-batch|PUT")], 2, []),
    "a byte a second": Trial([Rule("drip", seconds=1)], 2, []),
    "slow": Trial([Rule("slow", seconds=0.5)], 5, []),
    "cut off": Trial([Rule("truncate", "GET|POST", times=6, bytes=20)]),
    "requests dropped": Trial([Rule("drop_request", "POST|PUT", times=5)]),
    "uploads dropped": Trial([Rule("drop_request", "PUT .*safetensors", times=5, bytes=4000)]),
    "too large": Trial([Rule("status", "PUT .*safetensors", code=413)], 5, []),
}
QUICK: tuple[str, ...] = (
    "run lost",
    "run doubled",
    "model late",
    "version doubled",
    "output doubled",
    "all doubled",
    "hangs",
)
QUICK += ("an hour to wait at first", "a portal takes the files", "a portal takes one of equal size")
QUICK += ("a portal takes the points", "a portal that speaks JSON takes what is made", "a byte a second")


@pytest.fixture(scope="module")
def proxy(place: Place) -> Iterator[FaultyProxy]:
    folder = place.folder / "server"
    folder.mkdir()
    stores = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts")
    artifacts = ("--artifacts-destination", folder / "artifacts")
    uri = place.serve("mlflow", "server", *stores, *artifacts, ready="/health", MLFLOW_TRACKING_URI=None)
    with FaultyProxy(int(uri.rpartition(":")[2])).running() as proxy:
        yield proxy


def assert_complete_and_once(proxy: FaultyProxy, folder: Path, trial: Trial, name: str) -> None:
    user = Client(folder / "user", {"MLFLOW_TRACKING_URI": proxy.url, "MLFLOW_EXPERIMENT_NAME": name})
    proxy.obey(trial.rules)
    process = user.begin(partial(small_run.make, name, trial.send_timeout), "run")
    assert process.wait() == 0, process.said
    said = process.said
    if trial.first_sync is not None:
        proxy.obey(trial.first_sync)
        said += user.run("sync")[1]
    proxy.obey([])
    for _ in range(2):
        code, text = user.run("sync")
        said += text
    assert code == 0, said
    assert user.journals() == [], said
    client = MlflowClient(f"http://127.0.0.1:{proxy.port}", f"http://127.0.0.1:{proxy.port}")
    there = small_run.found(client, name, name)
    for what, expected in small_run.EXPECTED.items():
        assert there[what] == expected, f"{what}\n{said}"


@pytest.mark.parametrize("name", TRIALS if "NEWSCLF_TEST_FAULTS" in os.environ else QUICK)
def test_faults(name: str, proxy: FaultyProxy, tmp_path: Path) -> None:
    assert_complete_and_once(proxy, tmp_path, TRIALS[name], f"{name} named")


@pytest.mark.parametrize("seed", range(SEEDED))
def test_seeded_faults(seed: int, proxy: FaultyProxy, tmp_path: Path) -> None:
    dice = random.Random(seed)
    assert_complete_and_once(
        proxy, tmp_path, Trial([drawn(dice) for _ in range(dice.randint(1, 4))], 20), f"seed {seed}"
    )


def test_a_training_by_way_of_a_portal(proxy: FaultyProxy, tmp_path: Path, tiny_encoder: Path) -> None:
    """The model is READY, and registered, when its files are there, and not before."""
    name, server = "trained", f"http://127.0.0.1:{proxy.port}"
    user = Client(tmp_path / "user", {"MLFLOW_TRACKING_URI": proxy.url, "MLFLOW_EXPERIMENT_NAME": name})
    proxy.obey([Rule("html", "PUT"), Rule("exec_then_drop", "POST", times=8)])
    process = user.start("train", encoder=tiny_encoder, num_samples=60, epochs=1, register=name, send_timeout=8)
    assert process.wait() == 0, process.said
    assert "what answers may not be the server itself" in process.said
    client = MlflowClient(server, server)
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    assert [str(one.status) for one in client.search_logged_models([experiment.experiment_id])] in ([], ["PENDING"])
    proxy.obey([])
    code, said = user.run("sync")
    assert (code, user.journals()) == (0, []), said
    (run,) = client.search_runs([experiment.experiment_id])
    (model,) = client.search_logged_models([experiment.experiment_id])
    (version,) = client.search_model_versions(f"name = '{name}'")
    assert (run.info.status, str(model.status), version.run_id) == ("FINISHED", "READY", run.info.run_id)
    assert "artifacts/classifier/classifier.json" in small_run.checksums(client, model)


def drawn(dice: random.Random) -> Rule:
    """A fault that passes: of some requests, after some others."""
    rule = dice.choice(
        [
            Rule("exec_then_drop"),
            Rule("exec_then_status", code=dice.choice((500, 502, 503, 504))),
            Rule("dup"),
            Rule("drop_request", bytes=dice.choice((0, 10, 4000))),
            Rule("truncate", bytes=dice.choice((0, 1, 20))),
            Rule("html"),
            Rule("status", code=dice.choice((408, 429, 500, 503)), retry_after=dice.choice((None, 3600))),
        ]
    )
    rule.match = dice.choice([*MADE.values(), "POST", "PUT", "PATCH", "GET", "log-batch", "."])
    rule.times, rule.skip = dice.randint(1, 6), dice.randint(0, 5)
    return rule
