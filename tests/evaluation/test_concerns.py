"""A warning where there is reason for one, and none where there is not.

The kind: scores that look like more than they are. Its places: a test (train, evaluate), the losses of a training; that
they are told, kept and compared: tests/verbs/test_train.py, tracking/test_run.py, test_comparison.py.
"""

import numpy as np
import pytest

from newsclf.evaluation.concerns import MIN_TEST_ROWS, of_scores, of_training

CLASSES = ("World", "Sports", "Sci/Tech")


def warned(labels: list[int], predicted: list[int], classes: tuple[str, ...] = CLASSES) -> str:
    return " | ".join(of_scores(np.array(labels), np.eye(len(classes))[predicted], classes))


SOUND = [0] * 40 + [1] * 30 + [2] * 30


def test_sound_scores_are_no_concern() -> None:
    assert warned(SOUND, SOUND) == ""
    one_wrong_in_three = [label if row % 3 else (label + 1) % 3 for row, label in enumerate(SOUND)]
    assert warned(SOUND, one_wrong_in_three) == ""


def test_a_class_that_is_never_found_is_named() -> None:
    assert warned(SOUND, [0] * 40 + [1] * 30 + [1] * 30) == "recall 0: no test row of Sci/Tech is found"
    both = warned(SOUND, [0] * 40 + [2] * 30 + [1] * 30)
    assert "of Sports, Sci/Tech is found" in both


def test_a_model_that_says_one_word_is_told_so() -> None:
    said = warned(SOUND, [0] * 100)
    assert "accuracy 0.4000 is no better than to say World every time, which is right in 0.4000" in said
    better = [0] * 40 + [1] + [0] * 29 + [2] + [0] * 29
    assert "no better" not in warned(SOUND, better)


def test_of_rows_of_one_class_nothing_is_better() -> None:
    assert "no better" not in warned([1] * 50, [1] * 50)


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, True), (1, True), (MIN_TEST_ROWS - 1, True), (MIN_TEST_ROWS, False)]
)
def test_a_class_of_few_test_rows_is_named_with_their_number(rows: int, expected: bool) -> None:
    labels = [0] * 40 + [1] * 40 + [2] * rows
    assert (f"Sci/Tech ({rows})" in warned(labels, labels)) == expected
    assert "recall 0" not in warned(labels, labels), "a class without test rows has no recall"


def test_many_classes_make_one_short_sentence() -> None:
    classes = tuple(f"class {number} {'x' * 200}" for number in range(300))
    labels = list(range(300))
    for sentence in of_scores(np.array(labels), np.eye(300)[[0] * 300], classes):
        assert len(sentence) < 600
        assert "\n" not in sentence


TRAININGS = {
    "fine": ([(0.9, 0.8), (0.5, 0.6), (0.4, 0.61)], 3, ()),
    "stopped early": ([(0.9, 0.8), (0.5, 0.6), (0.49, 0.61), (0.48, 0.62)], 20, ()),
    "still falling": ([(0.9, 0.8), (0.5, 0.6)], 2, ("the last of 2",)),
    "one epoch": ([(0.9, 0.8)], 1, ("the only one",)),
    "first": ([(0.5, 0.6), (0.49, 0.61), (0.5, 0.62)], 3, ("the first of 3",)),
    "over-fitting": ([(0.9, 0.8), (0.5, 0.6), (0.1, 0.67)], 3, ("over-fitting: from epoch 2 to 3",)),
    "from the first on": ([(0.5, 0.6), (0.2, 0.9)], 5, ("the first of 2", "over-fitting")),
    "both rise": ([(0.5, 0.6), (0.4, 0.5), (0.6, 0.9)], 3, ()),
    "not a number": ([(0.5, 0.6), (float("nan"), float("nan"))], 2, ()),
    "nothing known": ([], 3, ()),
}


@pytest.mark.parametrize(("losses", "epochs", "expected"), TRAININGS.values(), ids=list(TRAININGS))
def test_losses_tell_of_a_training(losses: list[tuple[float, float]], epochs: int, expected: tuple[str, ...]) -> None:
    found = of_training(losses, epochs)
    assert len(found) == len(expected)
    for sentence, part in zip(found, expected, strict=True):
        assert part in sentence
