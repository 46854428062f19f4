"""20 Newsgroups: posts of 1993 by newsgroup, split by date; through scikit-learn."""

import io
import os
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd

from newsclf.config import TextOptions
from newsclf.data.dataset import RawData
from newsclf.data.sources.download import download
from newsclf.data.sources.paths import data_root
from newsclf.errors import InputError
from newsclf.fetching import may_fetch
from newsclf.files import file_checksum
from newsclf.messages import did_you_mean, listed, one_line

# The archive that scikit-learn's fetch_20newsgroups downloads, and its checksum there.
URL = "https://ndownloader.figshare.com/files/5975967"
SHA256 = "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610"
# scikit-learn's cache below its data_home. It is a pickle: it is only ever read through scikit-learn, from
# the user's own data_dir, and a downloaded archive's checksum is verified before scikit-learn makes it.
CACHE = "20news-bydate_py3.pkz"
ARCHIVE = Path("20news_home", "20news-bydate.tar.gz")

# Known here, so that a misspelt name ends before anything is downloaded.
CATEGORIES = (
    "alt.atheism",
    "comp.graphics",
    "comp.os.ms-windows.misc",
    "comp.sys.ibm.pc.hardware",
    "comp.sys.mac.hardware",
    "comp.windows.x",
    "misc.forsale",
    "rec.autos",
    "rec.motorcycles",
    "rec.sport.baseball",
    "rec.sport.hockey",
    "sci.crypt",
    "sci.electronics",
    "sci.med",
    "sci.space",
    "soc.religion.christian",
    "talk.politics.guns",
    "talk.politics.mideast",
    "talk.politics.misc",
    "talk.religion.misc",
)
METADATA = ("headers", "footers", "quotes")


def read(options: TextOptions) -> RawData:
    """The official split by date of the wanted groups; `remove` takes metadata out of the posts.

    Beware: with metadata kept, classifiers learn who writes where. Always say which variant a figure is of.
    """
    categories = wanted_categories(options.categories)
    for part in options.remove:
        if part not in METADATA:
            hint = did_you_mean(part, METADATA)
            raise InputError(f'remove="{one_line(part)}" is unknown: choose of {listed(METADATA)}{hint}')
    home = data_root(options.data_dir) / "20newsgroups"
    make_ready(home)
    return RawData(
        source=str(home),
        train=_fetch(home, "train", categories, options.remove),
        test=_fetch(home, "test", categories, options.remove),
        classes=categories,
        published=True,
        tags={"20newsgroups.removed": ",".join(p for p in METADATA if p in options.remove) or "none"},
    )


def wanted_categories(names: tuple[str, ...]) -> tuple[str, ...]:
    """The groups in their official order. Raises InputError for an unknown name, or fewer than two."""
    if tuple(names) == ("all",):
        return CATEGORIES
    for name in names:
        if name not in CATEGORIES:
            hint = did_you_mean(name, CATEGORIES) or f': choose "all" or of {listed(CATEGORIES)}'
            raise InputError(f'20 Newsgroups has no category "{one_line(name)}"{hint}')
    if len(set(names)) < 2:
        raise InputError(f"categories={listed(names)}: a classifier needs two or more")
    return tuple(name for name in CATEGORIES if name in names)


def make_ready(home: Path) -> None:
    """Sees to it that scikit-learn finds its cache or a verified archive below `home`, and downloads nothing.

    Its own download shows no progress.
    """
    archive = home / ARCHIVE
    if (home / CACHE).is_file():
        return
    may_fetch("20newsgroups")
    supply = f"put 20news-bydate.tar.gz at {archive}, or scikit-learn's own cache file at {home / CACHE}"
    if not archive.is_file():
        download(URL, archive, "sha256", SHA256, supply)
    elif (found := file_checksum(archive, "sha256")) != SHA256:
        raise InputError(f"{archive} has SHA256 {found}, not {SHA256}; delete it to have it downloaded")


def _fetch(home: Path, split: str, categories: tuple[str, ...], remove: tuple[str, ...]) -> pd.DataFrame:
    from sklearn.datasets import fetch_20newsgroups

    cache = home / CACHE
    try:
        with redirect_stdout(io.StringIO()):  # scikit-learn prints four lines over a broken cache
            posts = fetch_20newsgroups(
                data_home=os.fspath(home),
                subset=split,
                categories=list(categories),
                remove=tuple(remove),
                shuffle=False,
                download_if_missing=not cache.is_file(),
            )
    except Exception as error:  # a damaged archive or cache fails in any of tar, zlib, pickle
        raise InputError(
            f"cannot read 20 Newsgroups in {home} ({one_line(error)}); delete {CACHE} there to have it made anew"
        ) from None
    labels = [posts.target_names[target] for target in posts.target]
    index = pd.RangeIndex(1, len(labels) + 1, name="row")
    return pd.DataFrame({"text": posts.data, "label": labels}, index=index, dtype=object)
