"""Where downloaded data lives."""

import os
from pathlib import Path


def data_root(data_dir: str) -> Path:
    """The root folder of downloaded data sets; each source keeps to its own sub-folder.

    `data_dir` where it is given, else `$NEWSCLF_DATA_DIR`, else `newsclf/data` in the user's cache
    folder (`$XDG_CACHE_HOME`, else `~/.cache`).
    """
    if chosen := data_dir or os.environ.get("NEWSCLF_DATA_DIR", ""):
        return Path(chosen).expanduser()
    return cache_home() / "newsclf" / "data"


def cache_home() -> Path:
    """The user's cache folder, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
