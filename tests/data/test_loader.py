import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from newsclf.config import WeightedDataOptions
from newsclf.data import load, load_split, open_stream, own_split
from newsclf.data.sources import ag_news, sample
from newsclf.errors import InputError

FORMATS = (".csv", ".parquet", ".jsonl")


def news(rows: int = 60, classes: tuple[str, ...] = ("crime", "art", "law")) -> pd.DataFrame:
    labels = [classes[number % len(classes)] for number in range(rows)]
    return pd.DataFrame({"text": [f"item number {number}" for number in range(rows)], "label": labels})


def write(frame: pd.DataFrame, path: Path) -> str:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in frame.to_dict("records")))
    return str(path)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            "agnews",
            r'unknown dataset "agnews": choose of sample, 20newsgroups, ag_news, .*did you mean "ag_news"\?',
        ),
        ("20newsgroup", r'did you mean "20newsgroups"\?'),
        ("", "unknown dataset"),
        ("news.txt", "that ends in .csv, .parquet, .jsonl"),
    ],
)
def test_unknown_names(options, dataset, message):
    with pytest.raises(InputError, match=message):
        load(options(dataset=dataset))


@pytest.mark.parametrize("dataset", ["sample", "20newsgroups", "ag_news"])
def test_a_test_table_goes_with_tables_only(options, dataset):
    with pytest.raises(InputError, match=f"{dataset} has its own test split"):
        load(options(dataset=dataset, test_dataset="test.csv"))


def test_the_room_imports_no_model_code():
    """The environment of torchtext has an old torch, and none of the others; and importing must be quick."""
    script = """
import sys
from newsclf.data import load, load_split, open_stream, own_split
from newsclf.data.sources import ag_news, sample
light = {"sklearn", "boto3", "requests", "pyarrow", "torchtext"} & set(sys.modules)
from types import SimpleNamespace
data = load(SimpleNamespace(dataset="sample", test_dataset=None, num_samples=20, seed=0, val_fraction=0.1))
heavy = {"torch", "transformers", "mlflow", "whylogs"} & set(sys.modules)
print(sorted(light), sorted(heavy), len(data.splits["train"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] in (
        "[] [] 20",
        "['pyarrow'] [] 20",
    )  # pandas 2 imports pyarrow where it is


def test_whose_rows_a_data_set_has(options, tmp_path):
    (tmp_path / "t.csv").write_text("text,label\none,a\n")
    assert (own_split("sample", "test"), own_split("./t.csv", "test")) == ("test", "all")
    with pytest.raises(InputError, match='did you mean "sample"'):
        own_split("samlpe", "test")
    assert load_split(options(), "test").fingerprint == load(options()).fingerprint
    assert list(load_split(options(dataset=str(tmp_path / "t.csv")), "all").splits) == ["all"]


def test_the_sample_and_its_splits(options):
    raw = sample.read(options())
    for split in ("train", "validation", "test"):
        opened = open_stream(options(), split)
        assert pd.concat(opened.chunks(100))["text"].tolist() == getattr(raw, split)["text"].tolist()
        assert (opened.name, opened.columns) == ("sample", ("text", "label"))
    assert len(open_stream(options()).read()) == 680


def test_splits_that_are_none(options, tmp_path):
    with pytest.raises(InputError, match='split "tset" is unknown'):
        open_stream(options(), "tset")
    with pytest.raises(InputError, match="a table is read whole"):
        open_stream(options(dataset=str(tmp_path / "t.csv")), "train")


@pytest.mark.integration
def test_published_data_comes_whole(real_data, options):
    chosen = options(dataset="ag_news", data_dir=str(real_data))
    found = open_stream(chosen, "test").read()
    test = ag_news.read(chosen).test
    assert test is not None
    assert len(found) == len(test) >= len(load(chosen).splits["test"])
    with pytest.raises(InputError, match="ag_news has no validation split of its own"):
        open_stream(chosen, "validation")
    posts = options(dataset="20newsgroups", data_dir=str(real_data))
    assert len(open_stream(posts, "train").read()) == 2034


def test_all_formats_give_the_same_data_set(tmp_path, options):
    sets = [load(options(dataset=write(news(), tmp_path / f"news{ending}"))) for ending in FORMATS]
    assert len({data.fingerprint for data in sets}) == 1
    data = sets[0]
    assert data.classes == ("art", "crime", "law")
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 43,
        "validation": 5,
        "test": 12,
    }
    assert data.source == data.name == str(tmp_path / "news.csv")
    assert data.notes == {"train_rows_also_in_test": 0}
    for split in data.splits.values():
        assert split.columns.tolist() == ["text", "label"]
        assert split.index.equals(pd.RangeIndex(len(split)))
        assert set(split["label"]) == set(data.classes)
    texts = [text for split in data.splits.values() for text in split["text"]]
    assert sorted(texts) == sorted(news()["text"])


def test_seed_decides_the_split(tmp_path, options):
    path = write(news(), tmp_path / "news.csv")
    prints = [load(options(dataset=path, seed=seed)).fingerprint for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


def test_test_table_is_the_test_split(tmp_path, options):
    path = write(news(), tmp_path / "news.csv")
    extra = news(9).assign(text=[*(f"other {n}" for n in range(8)), "item number 5"])
    data = load(options(dataset=path, test_dataset=write(extra, tmp_path / "test.jsonl")))
    assert data.splits["test"]["text"].tolist() == extra["text"].tolist()
    assert data.notes == {"train_rows_also_in_test": 1}
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 59
    assert "item number 5" not in [*data.splits["train"]["text"], *data.splits["validation"]["text"]]
    assert data.tags == {"test_source": str(tmp_path / "test.jsonl")}


def test_a_whole_table_is_one_split_and_may_have_one_class(tmp_path, options):
    path = write(news(9, ("only",)), tmp_path / "news.csv")
    data = load_split(options(dataset=path), "all")
    assert data.classes == ("only",)
    assert list(data.splits) == ["all"]
    assert data.splits["all"].equals(news(9, ("only",)))
    other = load_split(options(dataset=write(news(8, ("only",)), tmp_path / "less.csv")), "all")
    assert data.fingerprint != other.fingerprint
    with pytest.raises(InputError, match="split all is for your own table; sample has train"):
        load_split(options(dataset="sample"), "all")


def test_columns_of_other_names(tmp_path, options):
    path = write(news().rename(columns={"text": "headline", "label": "desk"}), tmp_path / "news.csv")
    assert load(options(dataset=path, text_column="headline", label_column="desk")).classes[0] == "art"
    with pytest.raises(InputError, match='no column "text": it has headline, desk'):
        load(options(dataset=path))
    with pytest.raises(InputError, match="name two columns"):
        load(options(dataset=path, text_column="desk", label_column="desk"))


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_whole_numbers_as_labels(tmp_path, options, ending):
    frame = news().assign(label=[float(number % 3) for number in range(60)])
    assert load(options(dataset=write(frame, tmp_path / f"news{ending}"))).classes == ("0", "1", "2")


def bad_table(tmp_path: Path) -> str:
    rows = news().to_dict("records")
    rows[3]["text"] = ""
    rows[4]["label"] = None
    rows[5]["text"] = "\0"
    rows[7]["label"] = "\ud800"
    rows[8]["text"] = "x" * 10_000_000
    rows[9] = rows[0]
    rows[10]["text"] = rows[11]["text"]
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_bad_rows_end_with_one_line(tmp_path, options):
    with pytest.raises(InputError) as error:
        load(options(dataset=bad_table(tmp_path)))
    message = str(error.value)
    assert "1 with an empty text (line 4); 1 without a label (line 5); 1 with a NUL byte (line 6)" in message
    assert "1 with a lone surrogate (half a character) (line 8)" in message
    assert "1 with a text of more than 1,000,000 characters (line 9)" in message
    assert "2 with a text that has two different labels (lines 11, 12)" in message
    assert "1 that repeat an earlier row (line 10)" in message
    assert len(message.splitlines()) == 1
    assert len(message) < 1000


def test_bad_rows_are_dropped_and_counted(tmp_path, options):
    data = load(options(dataset=bad_table(tmp_path), bad_rows="drop"))
    assert data.notes == {
        "empty_texts": 1,
        "missing_labels": 1,
        "nul_bytes": 1,
        "lone_surrogates": 1,
        "texts_too_long": 1,
        "texts_with_two_labels": 2,
        "duplicate_rows": 1,
        "train_rows_also_in_test": 0,
    }
    assert sum(len(split) for split in data.splits.values()) == 52


def test_bad_rows_of_the_test_table_are_counted_apart(tmp_path, options):
    path = write(news(), tmp_path / "news.csv")
    test = write(news(3).assign(text=["", "fresh", "fresh news"]), tmp_path / "test.csv")
    with pytest.raises(InputError, match=r"bad rows in .*test.csv: 1 with an empty text \(line 2\)"):
        load(options(dataset=path, test_dataset=test))
    assert load(options(dataset=path, test_dataset=test, bad_rows="drop")).notes["test_empty_texts"] == 1


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (news(classes=("only",)), r"one class only \(only\)"),
        (
            pd.concat([news(), pd.DataFrame({"text": ["z"], "label": ["rare"]})]),
            r'class "rare" \(1\): 3 are needed',
        ),
        (news().assign(text=pd.Series([["a list"]] * 60)), "row 1: the text is .* not a string"),
        (news().assign(label=pd.Series([["a list"]] * 60)), "row 1: the label is .* neither text nor a number"),
    ],
)
def test_tables_that_cannot_be_learnt_from(tmp_path, options, frame, message):
    with pytest.raises(InputError, match=message):
        load(options(dataset=write(frame, tmp_path / "news.parquet")))


def test_a_text_that_is_nan_counts_as_empty(tmp_path, options):
    path = tmp_path / "news.jsonl"
    path.write_text('{"text": NaN, "label": "a"}\n{"text": null, "label": "b"}\n')
    with pytest.raises(InputError, match=r"2 with an empty text \(lines 1, 2\)"):
        load(options(dataset=str(path)))


def test_a_label_in_the_test_table_only(tmp_path, options):
    path = write(news(), tmp_path / "news.csv")
    test = write(pd.DataFrame({"text": ["q", "r"], "label": ["law", "chess"]}), tmp_path / "test.csv")
    with pytest.raises(InputError, match="labels in the test split only: chess"):
        load(options(dataset=path, test_dataset=test))


def test_num_samples_is_train_and_validation(tmp_path, options):
    path = write(news(), tmp_path / "news.csv")
    splits = load(options(dataset=path, num_samples=30)).splits
    assert len(splits["train"]) + len(splits["validation"]) == 30
    assert len(splits["test"]) == 12
    with pytest.raises(InputError, match="num_samples=49 is out of range: choose 6 .* to 48"):
        load(options(dataset=path, num_samples=49))


def test_a_small_class_stands_in_every_split_also_when_half_is_test(tmp_path, options):
    frame = pd.concat([news(60, ("big", "large")), pd.DataFrame({"text": list("abc"), "label": ["rare"] * 3})])
    path = write(frame, tmp_path / "news.csv")
    for seed in range(3):
        splits = load(options(dataset=path, test_fraction=0.5, val_fraction=0.5, seed=seed)).splits
        assert [split["label"].tolist().count("rare") for split in splits.values()] == [1, 1, 1]


def test_the_fewest_samples_still_make_both_splits(tmp_path, options):
    frame = pd.concat([news(60, ("big", "large")), pd.DataFrame({"text": list("abc"), "label": ["rare"] * 3})])
    splits = load(options(dataset=write(frame, tmp_path / "news.csv"), num_samples=6)).splits
    assert splits["train"]["label"].tolist().count("rare") == splits["validation"]["label"].tolist().count("rare") == 1


def test_weights_say_how_often_a_row_counts(tmp_path: Path, options) -> None:
    file = tmp_path / "rows.csv"
    rows = [f"text {number},{'ab'[number % 2]},{number % 3 + 1}" for number in range(40)]
    file.write_text("\n".join(["text,label,times", *rows]))
    plain, weighted = (
        load(options(dataset=str(file))),
        load(WeightedDataOptions(dataset=str(file), weight_column="times")),
    )
    assert "weight" not in plain.splits["train"]
    assert "weight" not in weighted.splits["test"]
    assert plain.fingerprint != weighted.fingerprint
    for name in ("train", "validation"):
        split = weighted.splits[name]
        assert split["text"].tolist() == plain.splits[name]["text"].tolist()
        assert split["weight"].tolist() == [int(text.split()[1]) % 3 + 1 for text in split["text"]]


@pytest.mark.parametrize("weight", ["0", "1.5", "-1", "", "often", "1001", "nan"])
def test_a_weight_is_a_whole_number(weight: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"text,label,times\none,a,1\ntwo,b,{weight}\n")
    with pytest.raises(InputError, match=r"rows\.csv, line 3: the weight is .* not a whole number from 1 to 1000"):
        load(WeightedDataOptions(dataset=str(file), weight_column="times"))


def test_weights_go_with_a_table_alone() -> None:
    with pytest.raises(InputError, match="weight_column goes with your own table"):
        load(WeightedDataOptions(dataset="sample", weight_column="times"))
