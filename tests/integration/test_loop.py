"""The loop, whole: a model is trained, promoted and served, its requests drift, and what follows answers better.

The champion knows the news by two desks, and two topics of each. Then the desks take on two new topics, of which it
can know nothing: all of it is the packaged sample, by other labels.
"""

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.profiling.profile import TextProfile

pytestmark = pytest.mark.integration

KNOWN = {"World": "first desk", "Sports": "second desk"}
NEW = {"Business": "second desk", "Sci/Tech": "first desk"}
TRAINING = {"encoder": "minilm", "trainable_layers": 0, "epochs": 30, "learning_rate": 0.01, "test_fraction": 0.25}
# Tests of some dozens of rows have wide intervals; what is shown here is large.
GATE = {"accuracy_margin": 0.15, "recall_margin": 0.15, "calibration_limit": 0.3, "latency_ratio": 5}
MODEL = "models:/desks@champion"


@pytest.fixture(scope="module")
def rows() -> dict[str, pd.DataFrame]:
    """before: what the champion is trained on; asked: what comes later; labelled: what people have labelled of it."""
    whole = pd.concat(load(TrainConfig()).splits.values()).sample(frac=1, random_state=0)

    def desks(topics: dict[str, str]) -> pd.DataFrame:
        chosen = whole[whole["label"].isin(topics)]
        return chosen.assign(label=chosen["label"].map(topics)).reset_index(drop=True)

    before, after = desks(KNOWN), desks(NEW)
    return {"before": before.iloc[:280], "calm": before.iloc[280:], "asked": after.iloc[:120], "labelled": after[120:]}


@pytest.fixture(scope="module")
def loop(place, rows) -> Callable[..., str]:
    """Verbs, one after another, on tables of these rows."""
    for name, table in rows.items():
        (place.folder / name).mkdir()
        table.to_csv(place.folder / name / "rows.csv", index=False)

    def call(verb: str, code: int = 0, **options: Any) -> str:
        done = place.run(*place.entry_point(verb, options), OMP_NUM_THREADS="1")
        assert done.returncode == code, done.stdout + done.stderr
        return str(done.stdout)

    return call


class Served:
    """The champion behind `mlflow models serve`."""

    def __init__(self, place: Any, profiles: Path) -> None:
        command = ("mlflow", "models", "serve", "-m", MODEL, "--env-manager", "local")
        self.url = place.serve(*command, ready="/ping", NEWSCLF_PROFILE_DIR=str(profiles), OMP_NUM_THREADS="1")
        self.process, self.profiles = place.processes[-1], profiles

    def answers(self, texts: list[str]) -> list[str]:
        body = json.dumps({"instances": texts}).encode()
        request = urllib.request.Request(f"{self.url}/invocations", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return [row["label"] for row in json.loads(answer.read())["predictions"]]

    def accuracy(self, table: pd.DataFrame) -> float:
        right = [a == b for a, b in zip(self.answers(table["text"].tolist()), table["label"], strict=True)]
        return sum(right) / len(right)

    def stop(self, rows: int) -> None:
        """SIGTERM; back when the requests of `rows` texts are in the profiles."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        end = time.monotonic() + 30  # `mlflow models serve` ends before the server that it has started
        while sum(TextProfile.read(file).rows for file in self.profiles.glob("requests_*.bin")) < rows:
            assert time.monotonic() < end
            time.sleep(0.1)


def set_back(profiles: Path, hours: int) -> None:
    """As if it had been some hours ago: an hour that is not over is not judged."""
    for file in profiles.glob("*.bin"):
        profile = TextProfile.read(file)
        earlier = TextProfile(profile.reference, profile.encoder_sha256, datetime.now(UTC) - timedelta(hours=hours))
        earlier.merge(profile).write(file)


def champion(place: Any) -> str:
    return str(place.client().get_model_version_by_alias("desks", "champion").version)


def test_a_drifting_stream_becomes_a_better_model(place, loop, rows) -> None:
    before, after = place.folder / "before" / "rows.csv", rows["asked"]
    loop("train", dataset=before, register="desks", **TRAINING)
    loop("promote", name="desks", old_dataset=place.folder / "calm" / "rows.csv", calibration_limit=0.3)
    assert champion(place) == "1"

    profiles = place.folder / "profiles"
    served = Served(place, profiles)
    known, new = served.accuracy(rows["calm"]), served.accuracy(after)
    served.stop(len(rows["calm"]) + len(after))
    assert known > 0.85
    assert new < 0.7

    set_back(profiles, 2)
    watched = {"config": "configs/monitors/drift.yaml", "stream": profiles, "reference": MODEL}
    said = loop("monitor", code=3, fail_on="warning", min_rows=30, output_dir=place.folder / "monitor", **watched)
    assert "WARNING: drift:" in said

    retraining = {"stream": profiles, "champion": MODEL, "min_rows": 30, "test_share": 0.3, "gate": json.dumps(GATE)}
    retraining["output_dir"] = place.folder / "retraining"
    assert "label: " in loop("retrain", **retraining)  # a served model keeps no texts
    assert champion(place) == "1"
    retraining["labelled"] = place.folder / "labelled"
    said = loop("retrain", **retraining)
    assert champion(place) == "2", said
    story = (place.folder / "retraining" / "report.html").read_text()
    assert "models:/desks/2 is champion now" in story

    served = Served(place, profiles)
    assert served.accuracy(after) > new + 0.2
    assert served.accuracy(rows["calm"]) > known - 0.15
    served.stop(2 * (len(rows["calm"]) + len(after)))

    loop("promote", name="desks", rollback="true")
    assert champion(place) == "1"
