"""Folds: every row is left out once, with its like, and every class in every fold."""

import numpy as np
import pandas as pd
import pytest

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.data.folds import fold_of_rows, is_cross_validation
from newsclf.errors import InputError


def rows(**classes: int) -> pd.DataFrame:
    labels = [name for name, count in classes.items() for _ in range(count)]
    return pd.DataFrame({"text": [f"text {place}" for place in range(len(labels))], "label": labels})


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_folds_are_of_like_size_and_have_every_class(folds: int) -> None:
    table = rows(art=103, law=40, sea=11)
    found = fold_of_rows(table, ("art", "law", "sea"), folds, seed=0)
    sizes = np.bincount(found, minlength=folds + 1)
    assert (sizes[0], sizes.sum(), np.ptp(sizes[1:]) <= 1) == (0, 154, True)
    for name in ("art", "law", "sea"):
        of_class = np.bincount(found[table["label"] == name], minlength=folds + 1)[1:]
        assert of_class.min() >= 1
        assert np.ptp(of_class) <= 1


def test_the_seed_alone_decides() -> None:
    table = rows(art=30, law=30)
    one, same, other = (fold_of_rows(table, ("art", "law"), 3, seed).tolist() for seed in (1, 1, 2))
    assert one == same != other


# Other places of the kind (a text on both sides): data/splits.py, drop_overlap.
def test_texts_that_differ_in_white_space_or_label_only_are_in_one_fold() -> None:
    table = rows(art=40, law=40)
    table.loc[[3, 17, 29], "text"] = ["one  and\tthe same", "one and the same", " one and the same "]
    table.loc[[50, 60], "text"] = "with two labels"
    table.loc[60, "label"] = "art"
    table.index = table.index * 7 + 3
    found = fold_of_rows(table, ("art", "law"), 5, seed=0)
    assert len({*found[[3, 17, 29]]}) == len({*found[[50, 60]]}) == 1


@pytest.mark.parametrize(
    ("law", "folds", "words"),
    [
        (4, 5, "4 different texts among the training rows, and 5 are needed"),
        (3, 2, "3 different texts among the training rows, and 4 are needed"),
        (1, 2, "1 different text among the training rows, and 4 are needed"),
    ],
)
def test_a_class_with_too_few_texts_is_named(law: int, folds: int, words: str) -> None:
    with pytest.raises(InputError, match=f'option folds is {folds}: class "law" has {words}'):
        fold_of_rows(rows(art=30, law=law), ("art", "law"), folds, seed=0)
    fold_of_rows(rows(art=30, law=max(folds, 4)), ("art", "law"), folds, seed=0)


def test_repeated_texts_count_once() -> None:
    table = rows(art=10, law=10)
    table.loc[10:17, "text"] = "again"
    with pytest.raises(InputError, match='"law" has 3 different texts'):
        fold_of_rows(table, ("art", "law"), 4, seed=0)


def test_when_every_fold_is_asked_for() -> None:
    assert is_cross_validation(TrainConfig(folds=5))
    assert not is_cross_validation(TrainConfig())
    assert not is_cross_validation(TrainConfig(folds=5, fold=2))
    with pytest.raises(InputError, match="option fold is 6, and there are 5"):
        is_cross_validation(TrainConfig(folds=5, fold=6))
    with pytest.raises(InputError, match="option fold is 2, and folds is 1: say how many"):
        is_cross_validation(TrainConfig(fold=2))


def test_each_training_row_is_tested_once_and_no_test_row_ever() -> None:
    whole = load(TrainConfig())
    training = [*whole.splits["train"]["text"], *whole.splits["validation"]["text"]]
    tested: list[str] = []
    for fold in (1, 2, 3):
        one = load(TrainConfig(folds=3, fold=fold))
        texts = {name: set(frame["text"]) for name, frame in one.splits.items()}
        assert texts["train"] | texts["validation"] | texts["test"] == set(training)
        assert sum(map(len, texts.values())) == len(training)
        assert 0.09 < len(texts["validation"]) / len(texts["train"] | texts["validation"]) < 0.11
        assert len(one.identity["test"]) == len(one.splits["test"])
        tested += one.splits["test"]["text"].tolist()
    assert sorted(tested) == sorted(training)
    assert load(TrainConfig(folds=3)).fingerprint == whole.fingerprint, "the parent sees the rows as they are"
