import json

import numpy as np
import pandas as pd
import pytest

from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import duplicate_share, key_numbers, summarise, table


def profile_of(**columns: object) -> TextProfile:
    profile = TextProfile()
    profile.log(pd.DataFrame({name: pd.Series(values) for name, values in columns.items()}))
    return profile


def test_a_small_column_is_exact():
    column = summarise(profile_of(x=[4.0, 1.0, np.nan, 3.0, 2.0]))["x"]
    assert (column.kind, column.rows, column.nulls, column.values) == ("number", 5, 1, 4)
    assert (column.mean, column.min, column.max) == (2.5, 1, 4)
    assert column.std == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
    assert column.quantiles[[0, 50, 100]].tolist() == [1, 3, 4]
    assert column.quantiles.shape == (101,)
    assert np.isnan(column.unique)


def test_cdf_takes_in_the_point_itself_in_any_order_and_shape():
    column = summarise(profile_of(x=[1.0, 2.0, 2.0, 3.0]))["x"]
    points = np.array([[3.0, 2.0, 2.0], [0.0, 1.999, np.nan], [np.inf, -np.inf, 99.0]])
    expected = [[1.0, 0.75, 0.75], [0.0, 0.25, np.nan], [1.0, 0.0, 1.0]]
    np.testing.assert_array_equal(column.cdf(points), expected)


def test_cdf_of_many_values_is_within_the_rank_error():
    values = np.random.default_rng(0).gamma(2, 50, 50_000)
    column = summarise(profile_of(x=values))["x"]
    points = np.linspace(0, 500, 200)
    exact = np.searchsorted(np.sort(values), points, "right") / len(values)
    assert np.abs(column.cdf(points) - exact).max() <= 2 * column.rank_error


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_a_column_without_values(values):
    column = summarise(profile_of(x=np.array(values, dtype=np.float64)))["x"]
    assert np.isnan([column.mean, column.std, column.min, column.max, *column.quantiles]).all()
    assert np.isnan(column.cdf(np.array([0.0, 1.0]))).all()
    assert column.cdf(np.array([])).tolist() == []


def test_labels_stand_most_frequent_first():
    column = summarise(profile_of(label=["b", "a", None, "c", "b", "a", "b"]))["label"]
    assert column.kind == "label"
    assert list(column.items.items()) == [("b", 3), ("a", 2), ("c", 1)]
    assert (round(column.unique), column.nulls) == (3, 1)
    assert np.isnan(column.cdf(np.array([1.0]))).all()


def test_700_labels_are_counted_exactly():
    labels = [f"class {number}" for number in range(700) for _ in range(number % 7 + 1)]
    column = summarise(profile_of(label=labels))["label"]
    assert column.items == pd.Series(labels).value_counts().to_dict()


@pytest.mark.parametrize(("copies", "share"), [(1, 0.0), (2, 0.5), (4, 0.75)])
@pytest.mark.parametrize("distinct", [1, 100, 60_000])
def test_duplicates_are_estimated(distinct, copies, share):
    texts = [f"text {number}" for number in range(distinct)] * copies
    assert duplicate_share(profile_of(text=texts)) == pytest.approx(share, abs=0.01 if distinct > 1000 else 1e-3)


def test_duplicates_of_nothing():
    assert np.isnan(duplicate_share(profile_of(x=[1.0])))
    assert np.isnan(duplicate_share(profile_of(text=["", None])))


def test_the_table_can_be_written_and_read(tmp_path):
    frame = table(profile_of(characters=[1.0, 2.0], label=["World", 'a "b", c'], text=["one", "two"]))
    assert frame["column"].tolist() == ["characters", "label", "text"]
    assert frame["kind"].tolist() == ["number", "label", "text"]
    frame.to_csv(tmp_path / "t.csv", index=False)
    again = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
    assert json.loads(again["items"][1]) == {"World": 1, 'a "b", c': 1}
    rows = json.loads(frame.to_json(orient="records"))
    assert (rows[0]["mean"], rows[1]["mean"], rows[2]["unique"]) == (1.5, None, pytest.approx(2))


def test_the_table_of_an_empty_profile_has_its_columns():
    assert list(table(TextProfile()).columns) == list(table(profile_of(x=[1.0])).columns)
    assert key_numbers(TextProfile()) == {"rows": 0.0}


def test_key_numbers():
    numbers = key_numbers(
        profile_of(
            characters=[10.0, 20.0, 30.0, np.nan],
            empty=[0.0, 0.0, 0.0, 1.0],
            label=["World", "World", "Sci/Tech", None],
            text=["a", "a", "b", ""],
        )
    )
    assert numbers == pytest.approx(
        {
            "rows": 4,
            "duplicate_share": 1 / 3,
            "characters/mean": 20,
            "characters/std": 10,
            "characters/q05": 10,
            "characters/median": 20,
            "characters/q95": 30,
            "empty_share": 0.25,
            "label_missing_share": 0.25,
            "label/World": 2 / 3,
            "label/Sci/Tech": 1 / 3,
        },
        abs=1e-6,
    )


def test_every_name_is_one_that_mlflow_takes():
    from mlflow.utils.validation import MAX_ENTITY_KEY_LENGTH, _validate_metric_name

    labels = [
        "R&B",
        "R-B",
        "R+B",
        "a//b",
        "..",
        ".",
        "",
        " ",
        "/x",
        "x/",
        "é",
        "Спорт",
        "\ud800",
        "a\nb",
        "z" * 900,
        "%s",
    ]
    numbers = key_numbers(profile_of(label=labels, **{"distance_to_Sci/Tech": [1.0] * len(labels)}))
    for name in numbers:
        _validate_metric_name(name)
        assert len(name) <= MAX_ENTITY_KEY_LENGTH
    shares = [value for name, value in numbers.items() if name.startswith("label/")]
    assert len(shares) == len(labels)
    assert sum(shares) == pytest.approx(1)
    assert "distance_to_Sci/Tech/mean" in numbers


def test_a_column_with_a_name_for_every_row_makes_no_thousand_metrics():
    assert len(key_numbers(profile_of(label=[f"id {number}" for number in range(5000)]))) <= 103
