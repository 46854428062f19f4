from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from newsclf.data import load, load_split, open_stream, own_split
from newsclf.data.sources import ag_news, sample
from newsclf.errors import InputError


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
