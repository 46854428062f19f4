"""Predictions come back from their file as they were, and fit together whatever the order of rows and classes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from newsclf.evaluation.predictions import Predictions, row_fingerprints

TEXTS = ["Rain in the north", "A late goal", "Rates fall", "A late goal"]
CLASSES = ("World", "Sports", "Sci/Tech")


def some(order: list[int] | None = None, classes: tuple[str, ...] = CLASSES) -> Predictions:
    labels = ["World", "Sports", "Sci/Tech", "Sports"]
    chances = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1]]
    columns = [CLASSES.index(name) for name in classes]
    order = order or [0, 1, 2, 3]
    return Predictions.of(
        [TEXTS[row] for row in order],
        np.array([classes.index(labels[row]) for row in order]),
        np.array([[chances[row][column] for column in columns] for row in order]),
        classes,
    )


def same(one: Predictions, other: Predictions) -> bool:
    arrays = ("rows", "labels", "probabilities")
    return one.classes == other.classes and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays
    )


def test_the_file_holds_the_same_and_no_text(tmp_path: Path) -> None:
    some().write(tmp_path / "p.parquet")
    assert same(Predictions.read(tmp_path / "p.parquet"), some())
    table = parquet.read_table(tmp_path / "p.parquet")
    assert table.column_names == ["row", "label", "predicted", *(f"probability_{name}" for name in CLASSES)]
    assert table["predicted"].to_pylist() == ["World", "Sports", "World", "Sports"]
    assert str(table.schema.field("probability_World").type) == "float"
    content = (tmp_path / "p.parquet").read_bytes()
    assert not any(word in content for word in (b"Rain", b"goal", b"Rates"))


def test_ten_thousand_rows_of_four_classes_take_less_than_300_kilobytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    chances = random.dirichlet(np.ones(4), 10_000)
    texts = [str(number) for number in range(10_000)]
    Predictions.of(texts, random.integers(0, 4, 10_000), chances, "abcd").write(tmp_path / "p.parquet")
    assert (tmp_path / "p.parquet").stat().st_size < 300_000


def test_another_order_of_rows_and_classes_is_the_same_test() -> None:
    other = some([2, 3, 0, 1], ("Sports", "Sci/Tech", "World"))
    assert other.test == some().test
    assert same(other.in_order(), some().in_order())
    assert other.in_order(CLASSES).classes == CLASSES


def test_another_text_or_label_or_one_row_less_is_another_test() -> None:
    tests = {some().test, some([0, 1, 2]).test}
    one = some()
    tests.add(Predictions(one.rows, np.array([1, 1, 2, 1]), one.probabilities, CLASSES).test)
    tests.add(Predictions(row_fingerprints([*TEXTS[:3], "Snow"]), one.labels, one.probabilities, CLASSES).test)
    assert len(tests) == 4


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        some().in_order(("World", "Sports"))


def test_halves_of_surrogates_have_a_fingerprint_too() -> None:
    assert len(set(row_fingerprints(["\ud800", "\ud801", ""]).tolist())) == 3


def test_what_tells_rows_apart_is_written_beside_and_left_out_when_read(tmp_path: Path) -> None:
    made = Predictions.of(["a", "b"], np.array([0, 1]), np.eye(2), ("x", "y"))
    made.write(tmp_path / "p.parquet", pd.DataFrame({"row_id": ["news.csv:2", "科技"], "desk": [None, "city"]}))
    table = parquet.read_table(tmp_path / "p.parquet")
    assert table["row_id"].to_pylist() == ["news.csv:2", "科技"]
    assert table["desk"].to_pylist() == [None, "city"]
    again = Predictions.read(tmp_path / "p.parquet")
    assert (again.classes, again.test) == (made.classes, made.test)
