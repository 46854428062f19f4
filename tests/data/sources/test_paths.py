from pathlib import Path

import pytest

from newsclf.data.sources.paths import data_root


def test_the_option_then_the_variable_then_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home-of-a-user")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    monkeypatch.setenv("NEWSCLF_DATA_DIR", "~/data")
    assert data_root("elsewhere") == Path("elsewhere")
    assert data_root("") == Path("/home-of-a-user/data")
    monkeypatch.setenv("NEWSCLF_DATA_DIR", "")
    assert data_root("") == Path("/cache/newsclf/data")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_root("") == Path("/home-of-a-user/.cache/newsclf/data")
