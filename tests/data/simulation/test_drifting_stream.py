from collections import Counter

import numpy as np
import pandas as pd
import pytest

from newsclf.data.simulation.drifting_stream import DriftingStream, StratifiedSampler, amounts, mode_of, spans
from newsclf.data.simulation.injections import class_shares
from newsclf.errors import InputError

CLASSES = ("a", "b", "c")
LABELS = ["a"] * 500 + ["b"] * 300 + ["c"] * 200
TEXTS = [f"the long text of a row of news about the number {n}" for n in range(1000)]
ROWS = pd.DataFrame({"text": TEXTS, "label": LABELS}, dtype=object)


def stream(mode: str, most: float = 0.2, **more: object) -> DriftingStream:
    values = {"rows": ROWS, "classes": CLASSES, "mode": mode, "most": most, "batch_rows": 100, "seed": 0}
    return DriftingStream(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [0] * 10),
        ("sudden", [0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),
        ("covariate", [0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),
        ("incremental", [0, 0, 0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ("nonstationary", [0, 0, 0, 0, 0.1, 0.1, 0, 0, 0.1, 0.1]),
        ("study", [0, 0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    ],
)
def test_amounts(kind, expected):
    assert amounts(kind, batches=10, begin=5, amount=0.1, period=2) == pytest.approx(expected)


def test_incremental_ends_at_all():
    assert amounts("incremental", 6, 1, 0.4, 1) == pytest.approx([0.4, 0.8, 1, 1, 1, 1])


@pytest.mark.parametrize(
    ("changed", "expected"), [([0, 0.1, 0.1, 0, 0.1], [(2, 3), (5, 5)]), ([0, 0], []), ([1], [(1, 1)])]
)
def test_spans(changed, expected):
    assert spans(changed) == expected


def test_modes_go_with_kinds():
    assert mode_of("study", "auto") == "delete"
    assert mode_of("sudden", "prior") == "prior"
    assert mode_of("prior", "auto") == "prior"
    with pytest.raises(InputError, match="mode is delete: kind covariate goes with foreign, garbled, truncated"):
        mode_of("covariate", "delete")


def test_every_row_is_drawn_once_before_any_comes_back():
    sampler = StratifiedSampler(LABELS, np.random.default_rng(0))
    samples = [sampler.draw({"a": 70, "c": 30}) for _ in range(14)]
    drawn = Counter(row for sample in samples for row in sample)
    assert all(len(set(sample)) == 100 for sample in samples)
    assert {drawn[row] for row in range(500)} == {1, 2}  # 980 of 500
    assert sum(drawn[row] for row in range(500)) == 980
    assert {drawn[row] for row in range(800, 1000)} == {2, 3}  # 420 of 200


def test_a_class_that_is_too_small_for_a_batch():
    with pytest.raises(InputError, match='class "c" has 200 rows and 201 are wanted in one batch'):
        StratifiedSampler(LABELS, np.random.default_rng(0)).draw({"c": 201})


@pytest.mark.parametrize("mode", ["foreign", "garbled", "truncated", "prior", "concept", "delete", "relabel"])
def test_only_what_is_said_changes(mode):
    foreign = [f"foreign {n}" for n in range(50)]
    plain = stream("none").batch(1, 0)
    same = stream(mode, foreign_texts=foreign)
    assert same.batch(1, 0).equals(plain), "an unchanged batch is what it is without the change"
    batch = stream(mode, foreign_texts=foreign).batch(1, 0.2)
    if mode == "prior":
        return
    assert len(batch) == (80 if mode == "delete" else 100)
    if mode == "delete":
        assert set(batch["text"]) < set(plain["text"])
    texts_differ, labels_differ = ((batch[c] != plain[c]).sum() if mode != "delete" else 0 for c in ("text", "label"))
    assert texts_differ == (20 if mode in ("foreign", "garbled", "truncated") else 0)
    assert (labels_differ > 0) == (mode in ("concept", "relabel"))
    assert batch["text"].isin(foreign).sum() == (20 if mode == "foreign" else 0)


def test_prior_moves_the_same_class_all_the_way():
    made = stream("prior", most=0.4)
    shares = [class_shares(pd.concat([made.batch(n, amount) for n in range(1, 21)])["label"].tolist())
              for amount in (0, 0.1, 0.2, 0.4)]  # fmt: skip
    grows = max(CLASSES, key=lambda name: shares[-1][name] - shares[0][name])
    rise = [share[grows] - shares[0][grows] for share in shares]
    assert rise == pytest.approx([0, 0.1, 0.2, 0.4], abs=0.05)


def test_class_counts_vary_as_in_a_real_stream():
    counts = [stream("none").batch(n, 0)["label"].eq("a").sum() for n in range(1, 51)]
    assert np.mean(counts) == pytest.approx(50, abs=3)
    assert 2 < np.std(counts) < 8


@pytest.mark.parametrize(("mode", "size"), [("none", 500), ("prior", 250)])
def test_the_automatic_size_leaves_every_class_enough(mode, size):
    made = stream(mode, most=0.5, batch_rows=None)
    assert made.size <= size
    for number in range(1, 30):
        assert len(made.batch(number, made.most)) == made.size


def test_a_stream_is_seeded():
    first, second, other = stream("garbled"), stream("garbled"), stream("garbled", seed=1)
    for number in (1, 2):
        batch = first.batch(number, 0.2)
        assert batch.equals(second.batch(number, 0.2))
        assert not batch.equals(other.batch(number, 0.2))
