"""What came of a retraining, in a sentence and in numbers, for each way it can end."""

from types import SimpleNamespace

import pandas as pd
import pytest

from newsclf.retraining.outcome import RetrainingOutcome
from newsclf.retraining.policy import LABEL, MEND, NOTHING, TRAIN, Plan
from newsclf.retraining.training_rows import TrainingRows
from tests.retraining.test_policy import batch

CHAMPION, CHALLENGER = "models:/news/1", SimpleNamespace(uri="models:/news/2")


def outcome(action: str) -> RetrainingOutcome:
    return RetrainingOutcome(CHAMPION, "stream/", [batch(0), batch(1, "prior")], Plan(action, "So it is."))


def with_promotion(decision: str) -> RetrainingOutcome:
    """After a challenger was trained and held against the champion."""
    found = outcome(TRAIN)
    found.rows = TrainingRows(pd.DataFrame(), pd.DataFrame(), old_rows=900, new_rows=100, rare=("z",))
    found.tested, found.challenger = 40, CHALLENGER
    tags = {"newsclf.decision": decision, "newsclf.reason": "all checks passed"}
    metrics = {"new/accuracy": 0.9, "latency_ms": 3.0, "peak_memory_bytes": 1e9}
    found.promotion = SimpleNamespace(data=SimpleNamespace(tags=tags, metrics=metrics))
    return found


@pytest.mark.parametrize(
    ("action", "conclusion"),
    [
        (NOTHING, "models:/news/1 stays, nothing was trained. So it is."),
        (MEND, "models:/news/1 stays, it is the feed that is wrong. So it is."),
        (
            LABEL,
            "models:/news/1 stays, there are too few labels for a new model: the stream keeps no texts. So it is.",
        ),
    ],
)
def test_what_trains_nothing_says_why(action: str, conclusion: str) -> None:
    found = outcome(action)
    assert (found.decision, found.conclusion) == (action, conclusion)
    assert found.metrics() == {"batches": 2, "batches_drifted": 1, "trained": 0, "promoted": 0, "to_label": 0}


def test_texts_to_label_are_counted() -> None:
    found = outcome(LABEL)
    found.to_label = pd.DataFrame({"text": ["a", "b"]})
    assert "the 2 texts most worth it are in to_label.csv" in found.conclusion
    assert found.metrics()["to_label"] == 2


@pytest.mark.parametrize(
    ("decision", "verb"), [("promoted", "is champion now"), ("refused", "was refused"), ("overtaken", "was overtaken")]
)  # fmt: skip
def test_the_gate_has_the_last_word(decision: str, verb: str) -> None:
    found = with_promotion(decision)
    assert found.decision == decision
    assert found.conclusion == f"models:/news/2 {verb}: all checks passed."
    metrics = found.metrics()
    assert metrics["promoted"] == (decision == "promoted")
    assert (metrics["trained"], metrics["rows/old"], metrics["rows/new"], metrics["rows/test"]) == (1, 900, 100, 40)
    assert found.scores() == {"new/accuracy": 0.9, "latency_ms": 3.0}
    assert metrics["latency_ms"] == 3.0
    assert "peak_memory_bytes" not in metrics
