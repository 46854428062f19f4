from __future__ import annotations

import subprocess
import sys

import pytest

from newsclf.data import load
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
from newsclf.data import load
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
