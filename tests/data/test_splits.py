import numpy as np
import pandas as pd
import pytest

from newsclf.data.splits import allocate, class_counts, draw, drop_overlap, hold_out, require_rows
from newsclf.errors import InputError

CLASSES = ("a", "b", "c")


def rows(*counts: int) -> pd.DataFrame:
    labels = [name for name, count in zip(CLASSES, counts, strict=False) for _ in range(count)]
    texts = [f"text {number}" for number in range(len(labels))]
    return pd.DataFrame({"text": texts, "label": labels}).sample(frac=1, random_state=0)


@pytest.mark.parametrize(
    ("total", "available", "least", "expected"),
    [
        (10, [50, 30, 20], 1, [5, 3, 2]),
        (10, [45, 32, 23], 1, [5, 3, 2]),  # remainders .5 .2 .3: the first gets the last row
        (10, [98, 1, 1], 1, [8, 1, 1]),
        (6, [98, 1, 1], 1, [4, 1, 1]),
        (100, [98, 1, 1], 1, [98, 1, 1]),
        (9, [90, 5, 5], 2, [5, 2, 2]),
        (4, [5, 5, 5], 1, [2, 1, 1]),
    ],
)
def test_allocate(total, available, least, expected):
    available = np.array(available)
    assert allocate(total, available, least, available).tolist() == expected


def test_allocate_stays_within_its_limits_for_any_sizes():
    random = np.random.default_rng(0)
    for _ in range(300):
        available = random.integers(2, 60, random.integers(2, 8))
        most = available - 1
        total = int(random.integers(len(available), most.sum() + 1))
        counts = allocate(total, available, 1, most)
        assert counts.sum() == total
        assert (counts >= 1).all()
        assert (counts <= most).all()


def test_draw_is_exact_stratified_and_reproducible():
    table = rows(60, 30, 10)
    drawn = draw(table, CLASSES, 20, seed=3, least=1)
    assert class_counts(drawn, CLASSES).tolist() == [12, 6, 2]
    assert drawn.index.is_unique
    assert drawn.equals(draw(table, CLASSES, 20, seed=3, least=1))
    assert not drawn.equals(draw(table, CLASSES, 20, seed=4, least=1))
    assert drawn.equals(table[table.index.isin(drawn.index)]), "rows stay in their order"


def test_draw_of_all_rows_is_all_rows():
    table = rows(6, 3, 2)
    assert draw(table, CLASSES, 11, seed=0, least=2).equals(table)


@pytest.mark.parametrize("num_samples", [0, 5, 12])
def test_draw_states_the_allowed_range(num_samples):
    with pytest.raises(InputError, match=rf"num_samples={num_samples} is out of range: choose 6 .* to 11"):
        draw(rows(6, 3, 2), CLASSES, num_samples, seed=0, least=1)


def test_hold_out_parts_the_rows():
    table = rows(60, 30, 10)
    rest, held = hold_out(table, CLASSES, 0.2, seed=0, stream="validation")
    assert class_counts(held, CLASSES).tolist() == [12, 6, 2]
    assert sorted([*rest.index, *held.index]) == sorted(table.index)
    assert held.equals(hold_out(table, CLASSES, 0.2, seed=0, stream="validation")[1])
    assert not held.equals(hold_out(table, CLASSES, 0.2, seed=1, stream="validation")[1])
    assert not held.equals(hold_out(table, CLASSES, 0.2, seed=0, stream="test")[1])


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.99])
def test_hold_out_leaves_every_class_on_both_sides(fraction):
    rest, held = hold_out(rows(50, 4, 3), CLASSES, fraction, seed=0, stream="test", keep=2)
    assert class_counts(held, CLASSES).min() >= 1
    assert class_counts(rest, CLASSES).min() >= 2
    rest, _ = hold_out(rows(50, 4, 3), CLASSES, fraction, seed=0, stream="test")
    assert class_counts(rest, CLASSES).min() >= 1


def test_require_rows_names_the_small_classes():
    with pytest.raises(InputError, match=r'too few rows in class "b" \(1\), "c" \(0\): 2 are needed'):
        require_rows(rows(5, 1), CLASSES, 2, "here")


def test_drop_overlap_counts_texts_that_differ_in_white_space_only():
    train = pd.DataFrame({"text": ["one", "two  words\n", "three"], "label": ["a", "b", "a"]}, index=[4, 5, 6])
    test = pd.DataFrame({"text": ["two words", "four"], "label": ["a", "a"]})
    kept, dropped = drop_overlap(train, test)
    assert kept.index.tolist() == [4, 6]
    assert dropped == 1
