"""Requests that wait at the same time are computed in one batch, and each gets its own rows."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from newsclf.serving.batching import MAX_ROWS, DynamicBatcher


class Lengths:
    """Stands for a model: a text's length. It can be held up, and remembers the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def __call__(self, texts: list[str]) -> np.ndarray:
        self.batches.append(texts)
        self.entered.set()
        assert self.go_on.wait(20)
        if "bad" in texts:
            raise ValueError("bad")
        return np.array([[len(text)] for text in texts]).reshape(-1, 1)


def waiting(batcher: DynamicBatcher, count: int) -> None:
    """Until so many requests wait behind the one that is computed."""
    done = threading.Event()
    for _ in range(2000):
        if len(batcher._waiting) == count:
            return
        done.wait(0.005)
    raise AssertionError(f"{len(batcher._waiting)} wait")


def test_who_asks_alone_is_answered_alone() -> None:
    model = Lengths()
    batcher = DynamicBatcher(model)
    assert batcher(["a", "bcd"]).tolist() == [[1], [3]]
    assert batcher([]).shape == (0, 1)
    assert model.batches == [["a", "bcd"], []]


def test_those_that_wait_are_computed_in_one_batch() -> None:
    model = Lengths()
    batcher = DynamicBatcher(model)
    model.go_on.clear()
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(batcher, ["first"])
        assert model.entered.wait(20)
        others = [threads.submit(batcher, ["x" * number, "y"]) for number in range(1, 6)]
        waiting(batcher, 5)
        model.go_on.set()
        assert first.result(20).tolist() == [[5]]
        assert [other.result(20).tolist() for other in others] == [[[number], [1]] for number in range(1, 6)]
    assert [len(batch) for batch in model.batches] == [1, 10]


def test_a_batch_has_at_most_so_many_rows() -> None:
    model = Lengths()
    batcher = DynamicBatcher(model)
    model.go_on.clear()
    half = MAX_ROWS // 2 + 1
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(batcher, ["first"])]
        assert model.entered.wait(20)
        calls += [threads.submit(batcher, ["text"] * rows) for rows in (half, half, 2 * MAX_ROWS)]
        waiting(batcher, 3)
        model.go_on.set()
        assert [len(call.result(20)) for call in calls] == [1, half, half, 2 * MAX_ROWS]
    assert sorted(len(batch) for batch in model.batches) == [1, half, half, 2 * MAX_ROWS]


def test_an_error_is_its_own_and_no_other_clients() -> None:
    model = Lengths()
    batcher = DynamicBatcher(model)
    model.go_on.clear()
    with ThreadPoolExecutor(6) as threads:
        first = threads.submit(batcher, ["first"])
        assert model.entered.wait(20)
        others = [threads.submit(batcher, texts) for texts in (["one"], ["bad", "worse"], ["three"], [], ["bad"])]
        waiting(batcher, 5)
        model.go_on.set()
        assert first.result(20).tolist() == [[5]]
        assert [others[place].result(20).tolist() for place in (0, 2, 3)] == [[[3]], [[5]], []]
        for place in (1, 4):
            with pytest.raises(ValueError, match="bad"):
                others[place].result(20)
    assert batcher(["good"]).tolist() == [[4]]
