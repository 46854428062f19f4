import csv
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from newsclf.data import load
from newsclf.data.sources import ag_news
from newsclf.data.sources.paths import data_root
from newsclf.errors import InputError
from tools import check_torchtext

SHARED = ("2", "Both sides", "the same item stands in train and test")


def content(prefix: str, rows: int = 40) -> bytes:
    lines = [f'"{n % 4 + 1}","{prefix} title #39;{n}","{prefix} &lt;b&gt;text&lt;/b&gt;\\{n}"\n' for n in range(rows)]
    return "".join([*lines, '"{}","{}","{}"\n'.format(*SHARED)]).encode()


def write(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {"train": content("train"), "test": content("test", 12), **files}.items():
        (folder / f"{name}.csv").write_bytes(data)
    return folder


@pytest.fixture
def published(web, monkeypatch) -> None:
    """Small files on a server of ours, as the ones that the MD5 sums belong to."""
    for split, data in (("train", content("train")), ("test", content("test", 12))):
        web.files[f"/{split}.csv"] = data
        monkeypatch.setitem(ag_news.MD5, split, hashlib.md5(data).hexdigest())
    monkeypatch.setenv("NEWSCLF_AG_NEWS_URL", web.url + "/")


def test_rows_are_joined_cleaned_and_named(tmp_path, options):
    write(tmp_path / "ag_news")
    data = load(options(dataset="ag_news", data_dir=str(tmp_path)))
    assert data.classes == ("World", "Sports", "Business", "Sci/Tech")
    first = data.splits["test"].iloc[0]
    assert (first["text"], first["label"]) == ("test title'0 test text 0", "World")
    assert len(data.splits["test"]) == 13
    assert data.notes == {"train_rows_also_in_test": 1}
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 40
    assert data.source == str(tmp_path / "ag_news")


def test_downloads_with_the_checksum_verified(published, web, tmp_path, options):
    web.script[:] = [503, "truncated"]
    data = load(options(dataset="ag_news", data_dir=str(tmp_path)))
    assert web.requests == ["/train.csv"] * 3 + ["/test.csv"]
    assert data.tags == {"ag_news.checksum": "official"}
    assert data.warnings == ()
    assert load(options(dataset="ag_news", data_dir=str(tmp_path))).fingerprint == data.fingerprint
    assert len(web.requests) == 4, "files that are there are not downloaded again"


def test_a_file_with_another_sum_is_not_kept(published, web, tmp_path, options):
    web.files["/test.csv"] += b'"1","one","more"\n'
    with pytest.raises(InputError, match="cannot download test.csv .*its MD5 is .*put AG News's test.csv at"):
        load(options(dataset="ag_news", data_dir=str(tmp_path)))
    assert [path.name for path in (tmp_path / "ag_news").iterdir()] == ["train.csv"]


def test_files_found_with_other_sums_are_used_warned_of_and_tagged(tmp_path, options, monkeypatch):
    folder = write(tmp_path / "ag_news")
    monkeypatch.setitem(ag_news.MD5, "train", hashlib.md5(content("train")).hexdigest())
    data = load(options(dataset="ag_news", data_dir=str(tmp_path)))
    assert data.tags == {"ag_news.checksum": "unofficial"}
    (warning,) = data.warnings
    assert warning.startswith(f"{folder / 'test.csv'} is not the official AG News file")


def test_the_official_sums_are_torchtexts():
    assert ag_news.MD5 == {
        "train": "b1a00f826fdfbd249f79597b59e1dc12",
        "test": "d52ea96a97a2d943681189a97654912d",
    }


@pytest.mark.parametrize(
    "place",
    [
        "data/datasets/AG_NEWS",
        "home/.cache/torch/text/datasets/AG_NEWS",
        "home/.torchtext/cache/datasets/AG_NEWS",
        "torch/text/datasets/AG_NEWS",
    ],
)
def test_a_torchtext_cache_is_reused(tmp_path, options, monkeypatch, place):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if place.startswith("torch/"):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NEWSCLF_AG_NEWS_URL", "http://127.0.0.1:9")
    folder = write(tmp_path / place)
    assert load(options(dataset="ag_news", data_dir=str(tmp_path / "data"))).source == str(folder)
    (folder / "test.csv").unlink()
    with pytest.raises(InputError, match="cannot download train.csv from http://127.0.0.1:9/train.csv"):
        load(options(dataset="ag_news", data_dir=str(tmp_path / "data")))


def test_the_root_folder(monkeypatch, own_home, tmp_path):
    assert data_root("") == own_home / ".cache" / "newsclf" / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert data_root("") == Path("/xdg/newsclf/data")
    monkeypatch.setenv("NEWSCLF_DATA_DIR", "~/news")
    assert data_root("") == own_home / "news"
    assert data_root(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (b'"1","a","b"\n"5","c","d"\n', r'train.csv, line 2: class "5" is none of 1, 2, 3, 4'),
        (b'"1","a","b"\n"2","c"\n', "train.csv, line 2: 2 fields, not three"),
        (b'"1","a","b"\n"2","c","d\n', "starts on line 2: broken quoting"),
        (b'"1","a","caf\xe9"\n', "train.csv, line 1: not UTF-8"),
        (b"", "train.csv is empty; delete it"),
        (b'"1","a","b"\n"1","c","d"\n', r'too few rows in class "Sports" \(0\)'),
    ],
)
def test_broken_files(tmp_path, options, train, message):
    write(tmp_path / "ag_news", train=train)
    with pytest.raises(InputError, match=message):
        load(options(dataset="ag_news", data_dir=str(tmp_path)))


def test_num_samples_is_train_and_validation(tmp_path, options):
    write(tmp_path / "ag_news")
    data = load(options(dataset="ag_news", data_dir=str(tmp_path), num_samples=20))
    assert (len(data.splits["train"]), len(data.splits["validation"])) == (16, 4)


class TestTorchtext:
    """torchtext cannot be loaded here; a stand-in with its interface shows the way to it and back.

    `make check-torchtext` proves the same with the real one.
    """

    @pytest.fixture
    def torchtext(self, monkeypatch) -> SimpleNamespace:
        module, datasets, source = SimpleNamespace(), SimpleNamespace(), SimpleNamespace()
        source.MD5 = {"train": "official", "test": "official"}

        def AG_NEWS(root: str, split: str):
            path = Path(root, "datasets", "AG_NEWS", f"{split}.csv")
            if hashlib.md5(path.read_bytes()).hexdigest() != source.MD5[split]:
                raise AssertionError("torchtext would download the file again")
            with path.open(encoding="utf-8") as file:
                return [(int(row[0]), " ".join(row[1:])) for row in csv.reader(file)]

        module.disable_torchtext_deprecation_warning = lambda: None
        datasets.AG_NEWS, datasets.ag_news, module.datasets = AG_NEWS, source, datasets
        monkeypatch.setitem(sys.modules, "portalocker", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "torchtext", module)
        monkeypatch.setitem(sys.modules, "torchtext.datasets", datasets)
        return source

    def test_both_readers_give_the_same_rows(self, torchtext, tmp_path, options, capsys):
        write(tmp_path / "ag_news")
        ours, theirs = (
            load(options(dataset="ag_news", data_dir=str(tmp_path), ag_news_reader=reader))
            for reader in ("csv", "torchtext")
        )
        assert ours.fingerprint == theirs.fingerprint
        assert torchtext.MD5 == {"train": "official", "test": "official"}, "its sums are put back"
        assert check_torchtext.main([]) == 0
        assert check_torchtext.main(["--data-dir", str(tmp_path)]) == 0
        assert "train.csv: 41 rows by csv, 41 by torchtext" in capsys.readouterr().out

    def test_a_difference_is_found(self, torchtext, monkeypatch, capsys):
        monkeypatch.setattr(ag_news, "read_with_csv", lambda path: [(1, "2", "something else")])
        assert check_torchtext.main([]) == 1
        assert "first difference at row 1" in capsys.readouterr().out

    def test_where_it_cannot_be_loaded_the_error_says_what_can(self, tmp_path, options, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "torchtext", None)
        write(tmp_path / "ag_news")
        with pytest.raises(InputError, match="`make check-torchtext` builds an environment"):
            load(options(dataset="ag_news", data_dir=str(tmp_path), ag_news_reader="torchtext"))
        assert check_torchtext.main([]) == 2
        assert "error: ag_news_reader=torchtext needs" in capsys.readouterr().err


def test_the_real_news(real_data, options):
    data = load(options(dataset="ag_news", data_dir=str(real_data)))
    assert data.notes == {"texts_with_two_labels": 14, "duplicate_rows": 26, "train_rows_also_in_test": 2}
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 51951 - 42
    assert len(data.splits["test"]) == 5000
    assert data.tags == {"ag_news.checksum": "unofficial"}
