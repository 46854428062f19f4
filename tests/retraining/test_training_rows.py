"""Old and new rows are mixed, and the newest are held out; no text is in two of these places."""

import dataclasses

import pandas as pd
import pytest

from newsclf.data.splits import fold
from newsclf.retraining.training_rows import MAX_TEST_ROWS, MixOptions, make_rows, usable, with_later

MIX = MixOptions(replay_share=1.0, weight=3, test_share=0.25, seed=0)


def rows(name: str, count: int, classes: str = "ab") -> pd.DataFrame:
    labels = [classes[number % len(classes)] for number in range(count)]
    return pd.DataFrame({"text": [f"{name} {number}" for number in range(count)], "label": labels})


def test_usable_rows_have_a_text_and_its_newest_label() -> None:
    given = pd.DataFrame({"text": ["x", " ", None, "y", "x ", "z"], "label": ["a", "a", "a", None, "b", 3]})
    assert usable(given).to_dict("list") == {"text": ["x ", "z"], "label": ["b", "3"]}


def test_of_no_rows_none_are_usable() -> None:
    assert usable(pd.DataFrame(columns=["text", "label"], dtype=object)).empty


def test_the_newest_rows_are_held_out() -> None:
    made = make_rows(rows("old", 1000), rows("test", 50), [rows("first", 300), rows("second", 100)], MIX, replay=True)
    assert len(made.test) == 100
    assert set(made.test["text"]) == set(rows("second", 100)["text"])
    part = make_rows(rows("old", 1000), rows("test", 50), [rows("first", 200), rows("second", 200)], MIX, replay=True)
    assert set(part.test["text"]) < set(rows("second", 200)["text"])
    assert part.test["text"].tolist() != rows("second", 200)["text"].tolist()[100:], "no order inside a batch"
    many = make_rows(rows("old", 1000), rows("test", 50), [rows("first", 9000)], MIX, replay=True)
    assert len(many.test) == MAX_TEST_ROWS


def test_where_nothing_is_held_out_all_is_trained_on() -> None:
    mix = dataclasses.replace(MIX, test_share=0.0)
    made = make_rows(rows("old", 100), rows("test", 50), [rows("new", 80)], mix, replay=True)
    assert (len(made.test), made.new_rows, list(made.test)) == (0, 80, ["text", "label"])


def test_no_text_is_in_two_places() -> None:
    old, tests = rows("old", 400), rows("test", 50)
    batch = pd.concat([rows("new", 200), old.iloc[:20], tests.iloc[:20]])
    made = make_rows(pd.concat([old, tests.iloc[40:]]), tests, [batch], MIX, replay=True)
    trained = fold(made.train["text"])
    assert not trained.duplicated().any()
    assert not set(trained) & (set(tests["text"]) | set(made.test["text"]))


def test_what_the_champion_knows_by_heart_is_no_test() -> None:
    old = rows("old", 400)
    batch = pd.concat([rows("new", 300), old.iloc[:80], old.iloc[80:100].assign(label="b")])
    made = make_rows(old, rows("test", 50), [batch], MIX, replay=True)
    tested = made.test.merge(old, on="text", suffixes=("", "_old"))
    assert len(made.test) > 60
    assert (tested["label"] != tested["label_old"]).all(), "with another label than it was trained on it is one"


def test_later_rows_are_a_test_too_but_for_those_that_were_trained_on() -> None:
    made = make_rows(rows("old", 400), rows("test", 50), [rows("new", 400)], MIX, replay=True)
    later = pd.concat([rows("later", 30), rows("new", 400), rows("strange", 5, classes="x")])
    tested = with_later(made.test, made.train, [later])
    assert set(tested["text"]) == set(made.test["text"]) | set(rows("later", 30)["text"])


def test_an_old_text_with_a_new_label_has_the_new_one() -> None:
    old = rows("old", 400)
    batch = old.iloc[:200].assign(label="b")
    made = make_rows(old, rows("test", 50), [batch], MIX, replay=True)
    relabelled = made.train[made.train["text"].isin(batch["text"])]
    assert set(relabelled["label"]) == {"b"}


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_wanted_share_of_the_old_rows_counts_once_and_each_new_one_by_its_weight(share: float) -> None:
    mix = dataclasses.replace(MIX, replay_share=share)
    made = make_rows(rows("old", 3000), rows("test", 50), [rows("new", 400)], mix, replay=True)
    old = made.train["text"].str.startswith("old")
    assert (old.sum(), (~old).sum()) == (made.old_rows, made.new_rows) == (share * 3000, 300)
    assert set(made.train.loc[old, "weight"]) <= {1}
    assert set(made.train.loc[~old, "weight"]) == {3}


def test_old_rows_that_are_not_true_any_more_are_left_out() -> None:
    made = make_rows(rows("old", 900), rows("test", 50), [rows("new", 400)], MIX, replay=False)
    assert (made.old_rows, made.new_rows) == (0, 300)


def test_classes_with_too_few_rows_are_left_out_and_named() -> None:
    batch = pd.concat([rows("new", 400), pd.DataFrame({"text": ["odd one"], "label": ["c"]})])
    made = make_rows(rows("old", 900), rows("test", 50), [batch], MIX, replay=True)
    assert made.rare == ("c",)
    assert not {*made.train["label"], *made.test["label"]} - {"a", "b"}


def test_the_same_seed_gives_the_same_rows() -> None:
    def make(seed: int) -> pd.DataFrame:
        mix = dataclasses.replace(MIX, seed=seed, replay_share=0.5)
        return make_rows(rows("old", 900), rows("test", 50), [rows("new", 400)], mix, replay=True).train

    assert make(1).equals(make(1))
    assert not make(1).equals(make(2))
