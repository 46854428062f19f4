import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from newsclf.data import load
from newsclf.data.sources import newsgroups
from newsclf.errors import InputError

POSTS = 8  # in each group and split


def archive() -> bytes:
    """The layout of 20news-bydate.tar.gz: a folder a split, a folder a group, a file a post."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for split in ("train", "test"):
            for group in newsgroups.CATEGORIES:
                for number in range(POSTS):
                    body = f"{split} post {number} on {group}"
                    if number == 7:
                        body = f"crossing the split in {group}" if group != "sci.space" else "> only a quote"
                    post = f"From: writer{number}@{group}.{split}.example\nSubject: x\n\n{body}\n".encode()
                    info = tarfile.TarInfo(f"20news-bydate-{split}/{group}/{number:05d}")
                    info.size = len(post)
                    tar.addfile(info, io.BytesIO(post))
    return buffer.getvalue()


@pytest.fixture
def published(web, monkeypatch) -> bytes:
    """A small archive on a server of ours, as the one that the checksum belongs to."""
    from sklearn.datasets import _twenty_newsgroups as sklearn_module

    content = archive()
    sha256 = hashlib.sha256(content).hexdigest()
    web.files["/20news"] = content
    monkeypatch.setattr(newsgroups, "URL", f"{web.url}/20news")
    monkeypatch.setattr(newsgroups, "SHA256", sha256)
    monkeypatch.setattr(
        sklearn_module, "ARCHIVE", sklearn_module.ARCHIVE._replace(url="http://127.0.0.1:9/", checksum=sha256)
    )
    return content


def test_our_constants_are_scikit_learns():
    from sklearn.datasets import _twenty_newsgroups as theirs

    assert (newsgroups.ARCHIVE.name, newsgroups.URL, newsgroups.SHA256) == theirs.ARCHIVE


def test_downloads_once_and_then_reads_the_cache(published, web, tmp_path, options):
    data = load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    assert data.classes == ("alt.atheism", "comp.graphics", "sci.space", "talk.religion.misc")
    assert [path.name for path in (tmp_path / "20newsgroups").iterdir()] == [newsgroups.CACHE]
    assert web.requests == ["/20news"]
    web.files.clear()
    again = load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    assert again.fingerprint == data.fingerprint
    assert data.source == str(tmp_path / "20newsgroups")


def test_empty_training_posts_are_dropped_and_test_posts_kept(published, tmp_path, options):
    data = load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    assert data.notes == {"empty_texts": 1, "train_rows_also_in_test": 3}
    assert len(data.splits["test"]) == 4 * POSTS
    assert (data.splits["test"]["text"].str.strip() == "").sum() == 1
    assert len(data.splits["train"]) + len(data.splits["validation"]) == 4 * POSTS - 4
    assert data.tags == {"20newsgroups.removed": "headers,footers,quotes"}

    kept = load(options(dataset="20newsgroups", data_dir=str(tmp_path), remove=()))
    assert kept.notes == {"train_rows_also_in_test": 0}
    assert kept.splits["train"]["text"].str.startswith("From: ").all()
    assert kept.tags == {"20newsgroups.removed": "none"}


def test_all_groups(published, tmp_path, options):
    data = load(options(dataset="20newsgroups", data_dir=str(tmp_path), categories=("all",)))
    assert data.classes == newsgroups.CATEGORIES
    assert len(data.splits["test"]) == 20 * POSTS


def test_the_archive_can_be_supplied_by_hand(published, web, tmp_path, options):
    web.files.clear()
    with pytest.raises(InputError, match="cannot download 20news-bydate.tar.gz from http.*put 20news-bydate.tar.gz at"):
        load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    place = tmp_path / "20newsgroups" / "20news_home" / "20news-bydate.tar.gz"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(published[:-10])
    with pytest.raises(InputError, match="has SHA256 .* delete it"):
        load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    place.write_bytes(published)
    assert len(load(options(dataset="20newsgroups", data_dir=str(tmp_path))).classes) == 4


def test_a_broken_cache_file(web, tmp_path, options, capsys, monkeypatch):
    from sklearn.datasets import _twenty_newsgroups as theirs

    monkeypatch.setattr(theirs, "ARCHIVE", theirs.ARCHIVE._replace(url=f"{web.url}/20news"))
    cache = tmp_path / "20newsgroups" / newsgroups.CACHE
    cache.parent.mkdir()
    cache.write_bytes(b"not zlib")
    with pytest.raises(InputError, match=f"delete {newsgroups.CACHE} there"):
        load(options(dataset="20newsgroups", data_dir=str(tmp_path)))
    assert capsys.readouterr().out == ""
    assert web.requests == [], "scikit-learn downloads nothing behind our back"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"categories": ("sci.spcae", "sci.med")}, 'no category "sci.spcae"; did you mean "sci.space"'),
        ({"categories": ("qqq", "sci.med")}, 'no category "qqq": choose "all" or of alt.atheism, '),
        ({"categories": ("sci.med", "sci.med")}, "a classifier needs two or more"),
        ({"categories": ()}, "a classifier needs two or more"),
        ({"remove": ("header",)}, 'remove="header" is unknown: .*did you mean "headers"'),
    ],
)
def test_misspelt_options_end_before_any_download(web, tmp_path, options, monkeypatch, given, message):
    monkeypatch.setattr(newsgroups, "URL", f"{web.url}/20news")
    with pytest.raises(InputError, match=message):
        load(options(dataset="20newsgroups", data_dir=str(tmp_path), **given))
    assert web.requests == []
    assert list(tmp_path.iterdir()) == []


def folder_content(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*"))


def test_the_real_posts(real_data, options):
    before = folder_content(real_data / "20newsgroups")
    without = load(options(dataset="20newsgroups", data_dir=str(real_data)))
    assert without.notes == {"empty_texts": 57, "duplicate_rows": 2, "train_rows_also_in_test": 1}
    assert len(without.splits["train"]) + len(without.splits["validation"]) == 2034 - 60
    assert len(without.splits["test"]) == 1353
    whole = load(options(dataset="20newsgroups", data_dir=str(real_data), remove=()))
    assert whole.notes == {"train_rows_also_in_test": 0}
    assert len(whole.splits["train"]) + len(whole.splits["validation"]) == 2034
    assert folder_content(real_data / "20newsgroups") == before, "nothing is written beside the cache"
