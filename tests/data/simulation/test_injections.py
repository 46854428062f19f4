import numpy as np
import pytest

from newsclf.data.simulation import injections
from newsclf.errors import InputError

TEXTS = [f"Text number {number} of the Day, with some words." for number in range(100)]
LABELS = ["a"] * 50 + ["b"] * 30 + ["c"] * 20


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def changed(before: list[str], after: list[str]) -> int:
    return sum(one != other for one, other in zip(before, after, strict=True))


def test_foreign_puts_as_many_texts_in_and_none_twice():
    pool = [f"foreign {number}" for number in range(40)]
    texts = injections.foreign(TEXTS, pool, 0.3, rng())
    put_in = [text for text in texts if text in pool]
    assert len(put_in) == len(set(put_in)) == 30
    assert changed(TEXTS, texts) == 30


def test_foreign_says_how_many_texts_are_missing():
    with pytest.raises(InputError, match="50 foreign texts are wanted and 49 are there"):
        injections.foreign(TEXTS, ["x"] * 49, 0.5, rng())


def test_garble_replaces_three_letters_in_ten_and_nothing_else():
    texts = injections.garble(TEXTS, 0.4, rng())
    assert changed(TEXTS, texts) == 40
    letters = replaced = 0
    for before, after in zip(TEXTS, texts, strict=True):
        assert len(before) == len(after)
        if before == after:
            continue
        for old, new in zip(before, after, strict=True):
            assert old.isalpha() == new.isalpha()
            assert old.isupper() == new.isupper()
            letters, replaced = letters + old.isalpha(), replaced + (old != new)
    assert replaced / letters == pytest.approx(0.3, abs=0.03)


def test_garble_takes_any_text():
    assert injections.garble(["", "123", "Ünïcode İ 漢字"], 1.0, rng(), letters=1.0)[:2] == ["", "123"]


def test_truncate_keeps_the_first_half():
    assert injections.truncate(["abcd", "abcde", "a", ""], 1.0, rng()) == ["ab", "abc", "a", ""]
    assert changed(TEXTS, injections.truncate(TEXTS, 0.25, rng())) == 25


@pytest.mark.parametrize("total_variation", [0.0, 0.1, 0.4])
def test_class_shares_move_by_exactly_the_total_variation(total_variation):
    for seed in range(20):
        moved = injections.moved_shares(LABELS, total_variation, rng(seed))
        before = injections.class_shares(LABELS)
        assert sum(moved.values()) == pytest.approx(1)
        assert min(moved.values()) >= 0
        distance = sum(abs(moved[name] - before[name]) for name in before) / 2
        assert distance == pytest.approx(total_variation)


def test_the_class_that_grows_is_drawn():
    grows = {max(m, key=lambda name: m[name] - injections.class_shares(LABELS)[name])
             for m in (injections.moved_shares(LABELS, 0.1, rng(seed)) for seed in range(30))}  # fmt: skip
    assert grows == {"a", "b", "c"}
    # 0.6 more is too much for a: 0.5 + 0.6 is over 1.
    grows = {max(m, key=m.__getitem__) for m in (injections.moved_shares(LABELS, 0.6, rng(s)) for s in range(30))}
    assert grows == {"b", "c"}


@pytest.mark.parametrize(("labels", "by"), [(["a"] * 5, 0.1), (LABELS, 0.9)])
def test_class_shares_that_cannot_move(labels, by):
    with pytest.raises(InputError, match=f"class shares cannot move by {by}: they are a "):
        injections.moved_shares(labels, by, rng())


def test_redraw_labels_draws_from_all_classes():
    labels = injections.redraw_labels(["a"] * 3000, ["a", "b", "c"], 0.5, rng())
    assert labels.count("b") == pytest.approx(500, abs=60)
    assert labels.count("c") == pytest.approx(500, abs=60)


def test_delete_keeps_the_order():
    texts, labels = injections.delete(TEXTS, LABELS, 0.4, rng())
    assert len(texts) == len(labels) == 60
    assert texts == [text for text in TEXTS if text in set(texts)]
    assert labels == [label for text, label in zip(TEXTS, LABELS, strict=True) if text in set(texts)]


def test_the_same_seed_gives_the_same_and_arguments_stay_as_they_are():
    texts, labels = list(TEXTS), list(LABELS)
    for change in (
        lambda r: injections.foreign(texts, ["f"] * 100, 0.5, r),
        lambda r: injections.garble(texts, 0.5, r),
        lambda r: injections.truncate(texts, 0.5, r),
        lambda r: injections.redraw_labels(labels, ["a", "b"], 0.5, r),
        lambda r: injections.delete(texts, labels, 0.5, r),
    ):
        assert change(rng(1)) == change(rng(1))
        assert change(rng(1)) != change(rng(2))
    assert (texts, labels) == (TEXTS, LABELS)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all(share):
    assert changed(TEXTS, injections.truncate(TEXTS, share, rng())) == 100 * share
    assert len(injections.delete(TEXTS, LABELS, share, rng())[0]) == 100 * (1 - share)
    assert injections.truncate([], share, rng()) == []


def test_a_share_that_is_none():
    with pytest.raises(ValueError, match="from 0 to 1"):
        injections.truncate(TEXTS, 10, rng())
