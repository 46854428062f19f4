"""AG News: four kinds of news, 120,000 training and 7,600 test items.

Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text Classification" (NIPS 2015), from
Gulli's corpus. The files, addresses and MD5 sums are those that torchtext used. For research and other
non-commercial use.
"""

import os
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import pandas as pd

from newsclf.config import TextOptions
from newsclf.data.dataset import RawData
from newsclf.data.sources.ag_news_text import clean
from newsclf.data.sources.download import download
from newsclf.data.sources.paths import cache_home, data_root
from newsclf.data.tables.delimited import csv_rows
from newsclf.data.tables.rows import strictly
from newsclf.errors import InputError
from newsclf.files import file_checksum
from newsclf.messages import one_line

Split = Literal["train", "test"]

CLASSES = ("World", "Sports", "Business", "Sci/Tech")  # the file writes them as 1 to 4
BASE_URL = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv"
URL_VARIABLE = "NEWSCLF_AG_NEWS_URL"  # a mirror that has train.csv and test.csv
MD5: dict[Split, str] = {
    "train": "b1a00f826fdfbd249f79597b59e1dc12",
    "test": "d52ea96a97a2d943681189a97654912d",
}


def read(options: TextOptions) -> RawData:
    """The official splits, from files that are there or else downloaded; texts are cleaned (see `clean`).

    Files with other MD5 sums than the official ones are read, but warned of and tagged.
    """
    files = find_files(data_root(options.data_dir))
    warnings = []
    for split, path in files.items():
        if (found := file_checksum(path, "md5")) != MD5[split]:
            warnings.append(
                f"{path} is not the official AG News file (MD5 {found}, official {MD5[split]}): "
                "its figures do not compare with published ones"
            )
    return RawData(
        source=str(files["train"].parent),
        train=read_split(files["train"], "train", options.ag_news_reader),
        test=read_split(files["test"], "test", options.ag_news_reader),
        classes=CLASSES,
        published=True,
        warnings=tuple(warnings),
        tags={"ag_news.checksum": "unofficial" if warnings else "official"},
    )


def find_files(root: Path) -> dict[Split, Path]:
    """train.csv and test.csv in `<root>/ag_news`, or in a torchtext cache, or downloaded to the former."""
    home = root / "ag_news"
    for folder in (home, *torchtext_folders(root)):
        files: dict[Split, Path] = {"train": folder / "train.csv", "test": folder / "test.csv"}
        if all(os.path.isfile(path) for path in files.values()):  # False, too, where looking is forbidden
            return files

    base = os.environ.get(URL_VARIABLE) or BASE_URL
    files = {"train": home / "train.csv", "test": home / "test.csv"}
    for split, path in files.items():
        if not os.path.isfile(path):
            supply = f"put AG News's {path.name} at {path}, or set data_dir to a folder with ag_news/{path.name}"
            download(f"{base.rstrip('/')}/{path.name}", path, "md5", MD5[split], supply)
    return files


def torchtext_folders(root: Path) -> Iterator[Path]:
    """Where torchtext keeps AG_NEWS: below a root that was given to it, below torch's cache (0.13 to 0.18),
    or below its own older cache."""
    torch_home = Path(os.environ.get("TORCH_HOME") or cache_home() / "torch").expanduser()
    for cache in (root, torch_home / "text", Path("~/.torchtext/cache").expanduser()):
        yield cache / "datasets" / "AG_NEWS"


def read_split(path: Path, split: Split, reader: str) -> pd.DataFrame:
    """One file as cleaned rows; both readers give the same (`make check-torchtext` proves it)."""
    if reader == "torchtext":
        unit, rows = "row", read_with_torchtext(path, split)
    else:
        unit, rows = "line", read_with_csv(path)
    if not rows:
        raise InputError(f"{path} is empty; delete it to have it downloaded again")
    places, labels, texts = zip(*rows, strict=True)
    for place, label in zip(places, labels, strict=True):
        if label not in ("1", "2", "3", "4"):
            raise InputError(f'{path}, {unit} {place}: class "{one_line(label)}" is none of 1, 2, 3, 4')
    return pd.DataFrame(
        {"text": [clean(text) for text in texts], "label": [CLASSES[int(label) - 1] for label in labels]},
        index=pd.Index(places, name=unit),
        dtype=object,
    )


def read_with_csv(path: Path) -> list[tuple[int, str, str]]:
    """(line, class, title and description joined by a space) of every row."""
    rows = []
    try:
        with path.open("rb") as file:
            for line, row in strictly(csv_rows(file), str(path)):
                if len(row) != 3:
                    raise InputError(f"{path}, line {line}: {len(row)} fields, not three (class, title, description)")
                rows.append((line, row[0], f"{row[1]} {row[2]}"))
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})") from None
    return rows


def read_with_torchtext(path: Path, split: Split) -> list[tuple[int, str, str]]:
    """The same through `torchtext.datasets.AG_NEWS`, which does not tell lines: rows are counted instead."""
    try:
        import_module("portalocker")  # torchdata needs it, but does not bring it
        import torchtext

        torchtext.disable_torchtext_deprecation_warning()
        from torchtext.datasets import AG_NEWS, ag_news
    except (ImportError, OSError, AttributeError) as error:  # OSError: built for another torch
        raise InputError(
            "ag_news_reader=torchtext needs torchtext 0.18.0, torch 2.3.1, torchdata 0.7.1 and portalocker "
            f"({one_line(error)}); `make check-torchtext` builds an environment that has them"
        ) from None

    with tempfile.TemporaryDirectory() as cache:
        # torchtext reads <root>/datasets/AG_NEWS/<split>.csv: a link gives it this file, wherever it lies.
        link = Path(cache, "datasets", "AG_NEWS", f"{split}.csv")
        link.parent.mkdir(parents=True)
        link.symlink_to(path.resolve())
        # A file with another sum would be downloaded anew. `read` has compared the sums already.
        with patch.dict(ag_news.MD5, {split: file_checksum(path, "md5")}):
            rows = AG_NEWS(root=cache, split=split)
        try:
            return [(place, str(label), text) for place, (label, text) in enumerate(rows, start=1)]
        except Exception as error:  # whatever its pipes raise over a broken file
            raise InputError(
                f"torchtext cannot read {path} ({one_line(error)}); ag_news_reader=csv names the line"
            ) from None
