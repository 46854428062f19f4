"""The linear classifier of words: what it learns, and its files, which anybody may have made."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from newsclf.model import linear
from newsclf.model.linear import NUMBERS, TERMS, LinearClassifier, NothingToLearn

TEXTS = ["oil prices rise", "oil prices fall", "the team wins", "the team loses", "油价上涨", "油价下跌"]
LABELS = np.array([0, 0, 1, 1, 2, 2])


@pytest.fixture(scope="module")
def learnt() -> LinearClassifier:
    return LinearClassifier.fit(TEXTS, LABELS, classes=3)


def test_words_pairs_and_characters_of_unparted_scripts_are_terms(learnt: LinearClassifier) -> None:
    assert list(learnt.terms) == ["oil", "oil prices", "prices", "team", "the", "the team", "价", "油", "油 价"]


def test_what_it_has_learnt_it_tells_apart(learnt: LinearClassifier) -> None:
    found = learnt.margins(["Oil PRICES", "a team", "油价", "", "never seen"])
    assert (found.shape, found.dtype) == ((5, 3), np.float64)
    assert found[:3].argmax(axis=1).tolist() == [0, 1, 2]
    assert np.array_equal(found[3], found[4])  # of nothing known: the bias alone
    assert learnt.margins([]).shape == (0, 3)


def test_the_margin_is_the_sum_of_its_terms_weights(learnt: LinearClassifier) -> None:
    by_hand = learnt.frequencies[[0, 1, 2]] / np.linalg.norm(learnt.frequencies[[0, 1, 2]])
    expected = by_hand @ learnt.weights[[0, 1, 2]] + learnt.bias
    assert learnt.margins(["oil prices"])[0] == pytest.approx(expected, rel=1e-5)


def test_two_classes_have_opposite_margins() -> None:
    found = LinearClassifier.fit(TEXTS[:4], LABELS[:4], classes=2).margins(["oil", "team"])
    assert found[:, 0] == pytest.approx(-found[:, 1])
    assert found.argmax(axis=1).tolist() == [0, 1]


def test_a_class_without_a_row_is_never_predicted() -> None:
    found = LinearClassifier.fit(TEXTS[:4], LABELS[:4], classes=3).margins(["oil", "team", "never seen"])
    assert (found.argmax(axis=1) != 2).all()


def test_the_same_rows_give_the_same_bits(learnt: LinearClassifier) -> None:
    again = LinearClassifier.fit(TEXTS, LABELS, classes=3)
    assert np.array_equal(again.weights, learnt.weights)
    assert np.array_equal(again.bias, learnt.bias)


def test_a_row_that_counts_twice_is_two_rows() -> None:
    rows = ["oil rises", "oil falls", "oil wins", "team wins", "team oil"]
    labels = np.array([0, 0, 1, 1, 1])
    heavy = LinearClassifier.fit(rows, labels, 2, np.array([1, 1, 3, 1, 1])).margins(["oil wins"])
    light = LinearClassifier.fit(rows, labels, 2).margins(["oil wins"])
    assert heavy[0, 1] > light[0, 1]


@pytest.mark.parametrize(
    ("texts", "labels", "reason"),
    [
        (["", "", " "], [0, 1, 1], "no word stands in two"),
        (["one", "two", "three"], [0, 1, 1], "no word stands in two"),
        (["a b", "! ?", "1"], [0, 1, 1], "no word stands in two"),
        (["oil", "oil"], [1, 1], "of one class"),
    ],
)
def test_where_there_is_nothing_to_learn_it_says_so(texts: list[str], labels: list[int], reason: str) -> None:
    with pytest.raises(NothingToLearn, match=reason):
        LinearClassifier.fit(texts, np.array(labels), classes=2)


def test_texts_of_any_characters() -> None:
    strange = ["\ud83d oil\0oil", "oil \udfff", "\u2028team\u2029team", "team\nteam", "𝔬𝔦𝔩 oil"]  # noqa: RUF001
    found = LinearClassifier.fit(strange, np.array([0, 0, 1, 1, 0]), classes=2)
    assert found.margins(["oil \ud83d"]).argmax() == 0
    assert not any(term != term.strip() or "\n" in term for term in found.terms)


def test_a_saved_classifier_gives_the_same_margins(learnt: LinearClassifier, tmp_path: Path) -> None:
    learnt.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([TERMS, NUMBERS])
    assert np.array_equal(LinearClassifier.load(tmp_path, 3).margins(TEXTS), learnt.margins(TEXTS))


# Other places of the kind: head.safetensors, classifier.json and the encoder's files, in test_text_classifier*.py.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights", np.full((9, 3), np.nan, np.float32)),
        ("bias", np.full(3, np.inf, np.float32)),
        ("weights", np.zeros((9, 2), np.float32)),
        ("weights", np.zeros((8, 3), np.float32)),
        ("weights", np.zeros((9, 3), np.float16)),
        ("frequencies", np.zeros(10, np.float32)),
        ("further", np.zeros(3, np.float32)),
    ],
)
def test_numbers_that_are_not_its_own_are_refused(
    learnt: LinearClassifier, tmp_path: Path, name: str, value: np.ndarray
) -> None:
    learnt.save(tmp_path)
    save_file(load_file(tmp_path / NUMBERS) | {name: value}, tmp_path / NUMBERS)
    with pytest.raises(ValueError, match=NUMBERS):
        LinearClassifier.load(tmp_path, 3)


@pytest.mark.parametrize("terms", ["", "oil\n", "oil\n" * 9, "\n".join("abcdefghij") + "\n"])
def test_terms_that_do_not_fit_are_refused(learnt: LinearClassifier, tmp_path: Path, terms: str) -> None:
    learnt.save(tmp_path)
    (tmp_path / TERMS).write_text(terms)
    with pytest.raises(ValueError, match="linear"):
        LinearClassifier.load(tmp_path, 3)


def test_bytes_that_are_no_text_are_refused(learnt: LinearClassifier, tmp_path: Path) -> None:
    learnt.save(tmp_path)
    (tmp_path / TERMS).write_bytes(b"\xff\n" * 9)
    with pytest.raises(ValueError, match="utf-8"):
        LinearClassifier.load(tmp_path, 3)


def test_there_are_at_most_so_many_terms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(linear, "MAX_TERMS", 4)
    few = LinearClassifier.fit(TEXTS, LABELS, classes=3)
    assert len(few.terms) == 4
    monkeypatch.setattr(linear, "MAX_WEIGHTS", 9)
    assert len(LinearClassifier.fit(TEXTS, LABELS, classes=3).terms) == 3
    few.save(tmp_path)
    monkeypatch.setattr(linear, "MAX_TERMS", 3)
    with pytest.raises(ValueError, match="1 to 3 different terms"):
        LinearClassifier.load(tmp_path, 3)
