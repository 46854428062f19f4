import hashlib
import resource
import socket
from pathlib import Path

import pytest

from newsclf.data.sources import download as module
from newsclf.data.sources.download import download
from newsclf.errors import InputError

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several pieces
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def content(web) -> None:
    web.files["/news.csv"] = CONTENT


def get(web, path: Path, checksum: str = MD5) -> None:
    download(f"{web.url}/news.csv", path, "md5", checksum, "put it there yourself")


def test_fails_twice_truncates_then_works(web, tmp_path, capsys):
    web.script[:] = [503, 500, "truncated", "whole"]
    path = tmp_path / "new" / "folder" / "news.csv"
    get(web, path)
    assert path.read_bytes() == CONTENT
    assert len(web.requests) == 4
    assert [entry.name for entry in path.parent.iterdir()] == ["news.csv"]
    said = capsys.readouterr().err
    assert "HTTP 503 Service Unavailable; trying again (1 of 3)" in said
    assert "trying again (3 of 3)" in said


def test_gives_up_and_leaves_nothing_behind(web, tmp_path):
    web.script[:] = ["truncated"] * 4
    with pytest.raises(InputError, match="cannot download news.csv from http.*put it there yourself"):
        get(web, tmp_path / "news.csv")
    assert len(web.requests) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_replaces_nothing(web, tmp_path):
    path = tmp_path / "news.csv"
    path.write_text("old")
    with pytest.raises(InputError, match=f"its MD5 is {MD5}, not 0000"):
        get(web, path, checksum="0000")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["news.csv"]


def test_a_reader_of_the_old_file_never_sees_a_half_new_one(web, tmp_path):
    path = tmp_path / "news.csv"
    path.write_text("old")
    with path.open() as reader:
        get(web, path)
        assert reader.read() == "old"
    assert path.read_bytes() == CONTENT


def test_a_file_that_is_not_there_is_asked_for_once(web, tmp_path):
    del web.files["/news.csv"]
    with pytest.raises(InputError, match="HTTP 404 Not Found"):
        get(web, tmp_path / "news.csv")
    assert len(web.requests) == 1


def test_without_a_network_the_error_names_file_source_and_remedy(tmp_path):
    with pytest.raises(InputError) as error:
        download("http://127.0.0.1:9/news.csv", tmp_path / "news.csv", "md5", MD5, "put it there yourself")
    assert str(error.value) == (
        "cannot download news.csv from http://127.0.0.1:9/news.csv (connection refused); put it there yourself"
    )


def test_a_server_that_goes_silent_is_left(web, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/news.csv"
        with pytest.raises(InputError, match="no answer in"):
            download(url, tmp_path / "news.csv", "md5", MD5, "")


def test_a_folder_that_cannot_be_written(web, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*news.csv \(.*\); set data_dir"):
        get(web, tmp_path / "file" / "news.csv")


def test_a_full_disk_leaves_nothing_behind(web, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))  # fails in the middle, as a full disk does
    try:
        with pytest.raises(InputError, match=r"cannot write .*news.csv \(File too large\)"):
            get(web, tmp_path / "news.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_progress_is_plain_lines_without_a_terminal(web, tmp_path, capsys):
    get(web, tmp_path / "news.csv")
    assert capsys.readouterr().err.splitlines()[-1] == "news.csv: 1.0 of 1.0 MB"


def test_progress_is_a_bar_on_a_terminal(web, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    get(web, tmp_path / "news.csv")
    assert "100%" in capsys.readouterr().err
