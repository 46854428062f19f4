import pandas as pd
import pytest

from newsclf.data.row_checks import MAX_CHARACTERS, check_rows, reason_of_each
from newsclf.errors import InputError


def table(*pairs: tuple[str | None, str | None], unit: str = "line") -> pd.DataFrame:
    index = pd.RangeIndex(2, len(pairs) + 2, name=unit)
    return pd.DataFrame(pairs, columns=["text", "label"], index=index, dtype=object)


@pytest.mark.parametrize(
    ("text", "label", "reason"),
    [
        ("", "a", "empty_texts"),
        (" \n\t ", "a", "empty_texts"),
        (None, "a", "empty_texts"),
        ("news", None, "missing_labels"),
        ("news", "", "missing_labels"),
        ("news", "nan", "missing_labels"),
        ("news", "NaN", "missing_labels"),
        ("new\0s", "a", "nul_bytes"),
        ("news", "\0a", "nul_bytes"),
        ("new\ud83ds", "a", "lone_surrogates"),
        ("news", "\udc00", "lone_surrogates"),
        ("x" * (MAX_CHARACTERS + 1), "a", "texts_too_long"),
        ("x" * MAX_CHARACTERS, "a", ""),
        ("NA", "a", ""),
        ("null", "None", ""),
        ("smile \U0001f600", "a", ""),
    ],
)
def test_reason_of_one_row(text, label, reason):
    assert reason_of_each(table((text, label), ("other", "b"))).tolist() == [reason, ""]


def test_of_repeated_rows_the_first_is_good():
    reasons = reason_of_each(table(("x", "a"), ("y", "b"), ("x", "a"), ("x", "a")))
    assert reasons.tolist() == ["", "", "duplicate_rows", "duplicate_rows"]


def test_of_a_text_with_two_labels_no_row_is_good():
    reasons = reason_of_each(table(("x", "a"), ("y", "b"), ("x", "b"), ("x", "a")))
    assert reasons.tolist() == ["texts_with_two_labels", "", "texts_with_two_labels", "texts_with_two_labels"]


def test_a_row_without_label_does_not_spoil_the_same_text_with_one():
    assert reason_of_each(table(("x", "a"), ("x", None))).tolist() == ["", "missing_labels"]


def test_error_names_reasons_numbers_places_and_the_remedy():
    bad = table(("", "a"), ("x", "a"), ("y", None), ("", "b"), ("x", "a"))
    with pytest.raises(InputError) as error:
        check_rows(bad, "error", "news.csv")
    assert str(error.value) == (
        "bad rows in news.csv: 2 with an empty text (lines 2, 5); 1 without a label (line 4); "
        "1 that repeat an earlier row (line 6); bad_rows=drop would drop them"
    )


def test_error_shows_the_first_places_only():
    with pytest.raises(InputError, match=r"9 with an empty text \(rows 2, 3, 4, 5, 6, ...\)"):
        check_rows(table(*[("", "a")] * 9, ("x", "a"), unit="row"), "error", "news.parquet")


def test_drop_counts_and_keeps_the_places():
    good, dropped = check_rows(table(("", "a"), ("x", "a"), ("y", None), ("z", "b")), "drop", "news.csv")
    assert good.index.tolist() == [3, 5]
    assert dropped == {"empty_texts": 1, "missing_labels": 1}


def test_good_rows_pass():
    rows = table(("x", "a"), ("z", "b"))
    good, dropped = check_rows(rows, "error", "news.csv")
    assert good.equals(rows)
    assert dropped == {}


def test_nothing_left_is_an_error():
    with pytest.raises(InputError, match="no usable rows in news.csv: all 2 are bad"):
        check_rows(table(("", "a"), ("", "b")), "drop", "news.csv")
