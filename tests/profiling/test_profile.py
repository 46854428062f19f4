import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from newsclf.errors import InputError
from newsclf.profiling.profile import FORMAT_KEY, TextProfile
from newsclf.profiling.summary import RANKS, ColumnSummary, summarise

CLASSES = ["World", "Sports", "Business", "Sci/Tech", None]


def made(rows: int, seed: int = 0) -> pd.DataFrame:
    """A table with every kind of column, heavy tails, ties, gaps, and every text twice."""
    random = np.random.default_rng(seed)
    numbers = random.lognormal(3, 1, rows).astype(np.float32)
    numbers[random.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "text": pd.Series([f"text {number // 2}" for number in range(rows)], dtype=object),
            "characters": numbers,
            "words": random.integers(0, 12, rows).astype(np.float64),
            "empty": (random.random(rows) < 0.1).astype(np.float32),
            "label": pd.Series(random.choice(np.array(CLASSES, dtype=object), rows), dtype=object),
        }
    )


def profile_of(frame: pd.DataFrame, **options: object) -> TextProfile:
    profile = TextProfile(**options)  # type: ignore[arg-type]
    profile.log(frame)
    return profile


def split(frame: pd.DataFrame, random: np.random.Generator) -> list[pd.DataFrame]:
    """Any parts of the rows in any order: empty ones, single rows, big ones."""
    rows = frame.iloc[random.permutation(len(frame))]
    singles = np.arange(min(random.integers(0, 4), len(rows)) + 1)
    bounds = np.sort(random.integers(singles[-1], len(rows) + 1, random.integers(0, 8)))
    return [rows.iloc[begin:end] for begin, end in pairwise([*singles, *bounds, len(rows)])]


def merged(profiles: list[TextProfile], random: np.random.Generator) -> TextProfile:
    """Two by two, in any order, in any tree."""
    while len(profiles) > 1:
        one, two = random.permutation(len(profiles))[:2]
        pair = profiles[one].merge(profiles[two])
        profiles = [profile for place, profile in enumerate(profiles) if place not in (one, two)] + [pair]
    return profiles[0]


@pytest.mark.parametrize("seed", range(24))
def test_parts_merge_to_the_profile_of_the_whole(seed):
    random = np.random.default_rng(seed)
    frame = made(int(random.choice([0, 1, 2, 50, 3000, 20_000])), seed)
    whole = summarise(profile_of(frame))
    parts = [profile_of(part) for part in split(frame, random)]
    if seed % 2:  # as they come from disk
        parts = [TextProfile.from_bytes(part.to_bytes(), "part") for part in parts]
    found = summarise(merged(parts, random))

    assert set(found) == set(frame.columns)
    for name, values in frame.items():
        column = found[str(name)]
        present = values.dropna()
        assert (column.rows, column.nulls) == (len(frame), int(values.isna().sum()))
        if column.kind == "label":
            assert dict(column.items) == dict(whole[str(name)].items) == present.value_counts().to_dict()
        elif column.kind == "text":
            assert column.unique == pytest.approx(present.nunique(), rel=0.01)
            assert column.unique_low <= present.nunique() <= column.unique_high
        elif len(present):
            exact = present.to_numpy(np.float64)
            assert (column.min, column.max) == (exact.min(), exact.max())
            assert column.mean == pytest.approx(exact.mean(), rel=1e-6)
            assert column.std == pytest.approx(exact.std(ddof=1) if len(exact) > 1 else 0, rel=1e-6, abs=1e-9)
            ordered = np.sort(exact)
            # The stated error is that of 99 in 100 sketches (see below); none gets near twice as much.
            assert rank_errors(column, ordered).max() <= 2 * column.rank_error
            shares = np.searchsorted(ordered, column.quantiles, "right") / len(exact)
            assert np.abs(column.cdf(column.quantiles) - shares).max() <= 2 * column.rank_error


def rank_errors(column: ColumnSummary, ordered: np.ndarray) -> np.ndarray:
    """By how much each quantile's rank is off; 0 where any rank of equal values fits. The step of one value is none."""
    low = np.searchsorted(ordered, column.quantiles, "left") / len(ordered)
    high = np.searchsorted(ordered, column.quantiles, "right") / len(ordered)
    return np.maximum(0, np.maximum(low - RANKS, RANKS - high) - 1 / len(ordered))


def test_quantiles_of_merged_parts_keep_to_the_stated_rank_error():
    random = np.random.default_rng(0)
    frame = made(20_000)[["characters"]]
    ordered = np.sort(frame["characters"].dropna().to_numpy(np.float64))
    within = []
    for _ in range(30):
        column = summarise(merged([profile_of(part) for part in split(frame, random)], random))["characters"]
        assert column.rank_error < 0.004
        within.append(rank_errors(column, ordered).max() <= column.rank_error)
    assert np.mean(within) >= 0.9


def test_merging_leaves_both_as_they_were():
    frame = made(100)
    one, other = profile_of(frame[["characters"]]), profile_of(frame[["label"]])
    both = one.merge(other)
    both.log(frame)
    assert (one.rows, other.rows, both.rows) == (100, 100, 200)
    assert set(one.columns) == {"characters"}
    assert summarise(other)["label"].items == frame["label"].value_counts().to_dict()
    assert sum(summarise(both)["label"].items.values()) == 2 * frame["label"].notna().sum()


def test_chunks_are_logged_one_after_another():
    frame = made(5000)
    profile = TextProfile()
    for begin in range(0, 5000, 700):
        profile.log(frame.iloc[begin : begin + 700])
    assert summarise(profile)["label"].items == summarise(profile_of(frame))["label"].items
    assert profile.rows == 5000


def test_nulls_and_infinite_values_are_counted_and_not_distributed():
    profile = profile_of(
        pd.DataFrame({"x": [1.0, np.nan, np.inf, -np.inf, 3.0], "label": ["a", None, np.nan, "a", "b"]})
    )
    summary = summarise(profile)
    assert (summary["x"].rows, summary["x"].nulls, summary["x"].mean) == (5, 1, 2.0)
    assert profile.columns["x"]["counts"].inf.value == 2
    assert (summary["label"].nulls, summary["label"].items) == (2, {"a": 2, "b": 1})


def test_blank_texts_are_no_duplicates_of_one_another():
    text = summarise(profile_of(pd.DataFrame({"text": ["", " ", None, "a", "a\0", "\ud800"]})))["text"]
    assert (text.kind, text.rows, text.nulls, round(text.unique)) == ("text", 6, 3, 3)


def test_dates_are_left_out():
    frame = pd.DataFrame({"date": pd.to_datetime(["2024-01-31"], utc=True), "characters": [1.0]})
    assert set(profile_of(frame).columns) == {"characters"}


def test_labels_that_no_sketch_could_keep():
    profile = profile_of(pd.DataFrame({"label": ["\ud800", "a\0b", "é" * 300, ""]}))
    assert TextProfile.from_bytes(profile.to_bytes(), "p").rows == 4
    assert summarise(profile)["label"].items == {"": 1, "?": 1, "a\0b": 1, "é" * 128: 1}


def test_no_text_is_in_the_file():
    frame = pd.DataFrame({"text": ["Sources whisper of Ozymandias"], "characters": [29.0]})
    assert b"Ozymandias" not in profile_of(frame).to_bytes()


def test_plain_whylogs_reads_the_file_and_merges_it_with_its_own(tmp_path):
    import whylogs
    from whylogs.core import DatasetProfileView

    frame = made(400)
    path = profile_of(frame, reference="r1", encoder_sha256="e1").write(tmp_path / "new" / "profile.bin")
    view = DatasetProfileView.read(str(path))
    assert view.get_column("characters").get_metric("distribution").n == frame["characters"].notna().sum()
    assert view.to_pandas().loc["label", "counts/n"] == 400

    theirs = whylogs.log(frame[["characters", "label"]].assign(price=1.5)).view()
    (tmp_path / "both.bin").write_bytes(theirs.merge(view).serialize())
    both = TextProfile.read(tmp_path / "both.bin")
    assert (both.reference, both.encoder_sha256) == ("r1", "e1")
    summary = summarise(both)
    assert (summary["characters"].rows, summary["price"].rows, both.rows) == (800, 400, 800)
    assert summary["label"].items == (2 * frame["label"].value_counts()).to_dict()


def test_what_it_was_made_with_survives_writing_reading_and_merging(tmp_path):
    early, late = datetime(2024, 1, 31, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
    first = profile_of(made(3), reference="r1", encoder_sha256="e1", timestamp=late)
    second = profile_of(made(3), reference="r1", encoder_sha256="e1", timestamp=early)
    read = TextProfile.read(first.write(tmp_path / "p.bin")).merge(second)
    assert (read.reference, read.encoder_sha256, read.timestamp, read.rows) == ("r1", "e1", early, 6)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"reference": "r1"}, {"reference": "r2"}, 'different references do not merge ("r1" and "r2")'),
        ({"reference": "r1"}, {}, '("r1" and "none")'),
        ({"encoder_sha256": "e1"}, {"encoder_sha256": "e2"}, "different encoders do not merge"),
    ],
)
def test_profiles_of_different_references_do_not_merge(one, other, message):
    with pytest.raises(InputError) as error:
        TextProfile(**one).merge(TextProfile(**other))
    assert message in str(error.value)


def test_a_truncated_file_is_never_read_as_a_smaller_one(tmp_path, capfd):
    data = profile_of(made(30)).to_bytes()
    header = data.index(b"newsclf.format") + 400
    for size in [*range(4, header), *range(header, len(data), 997), len(data) - 1]:
        with pytest.raises(InputError, match="p.bin is truncated or damaged"):
            TextProfile.from_bytes(data[:size], "p.bin")
    with pytest.raises(InputError, match="truncated or damaged"):
        TextProfile.from_bytes(data + b"\0", "p.bin")
    assert capfd.readouterr() == ("", "")  # whylogs says nothing beside our line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"WHY", "is no whylogs profile"),
        (b"PK\x03\x04 something else", "is no whylogs profile"),
        (b"WHY1" + b"\xff" * 100, "is truncated or damaged"),
    ],
)
def test_files_that_are_no_profile(tmp_path, content, message):
    (tmp_path / "p.bin").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        TextProfile.read(tmp_path / "p.bin")
    assert len(str(error.value).splitlines()) == 1


def test_profiles_of_another_format_or_another_program():
    profile = profile_of(made(3))
    view = profile.view
    view.metadata[FORMAT_KEY] = "2"
    with pytest.raises(InputError, match="of format 2, this version of newsclf reads 1"):
        TextProfile.from_bytes(view.serialize(), "p.bin")
    del view.metadata[FORMAT_KEY]
    with pytest.raises(InputError, match="is a whylogs profile, but none of newsclf"):
        TextProfile.from_bytes(view.serialize(), "p.bin")


def test_a_path_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(InputError, match="cannot read the profile"):
        TextProfile.read(tmp_path / "none.bin")
    with pytest.raises(InputError, match="cannot read the profile"):
        TextProfile.read(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        TextProfile().write(tmp_path / "file" / "p.bin")


def test_what_never_ends_or_is_too_large_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.bin")
    (tmp_path / "large.bin").touch()
    os.truncate(tmp_path / "large.bin", 10**12)
    (tmp_path / "device.bin").symlink_to("/dev/zero")
    for name, says in (("pipe", "but a pipe"), ("device", "but a device"), ("large", "has 1,000,000,000,000 bytes")):
        with pytest.raises(InputError, match=f"cannot read the profile .*{says}"):
            TextProfile.read(tmp_path / f"{name}.bin")


def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(tmp_path, monkeypatch):
    path = profile_of(made(3)).write(tmp_path / "p.bin")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        profile_of(made(9)).write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.bin"]
    assert TextProfile.read(path).rows == 3


WATCHED = """
import json, sys, threading
events = []

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        events.append(event)
        raise PermissionError(event)  # nothing leaves this machine, whatever it tried

sys.addaudithook(watch)
exec(sys.argv[1])
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(json.dumps(events))
"""


def ran(code: str) -> subprocess.CompletedProcess[str]:
    """`code` in a process of its own; the last line that it prints is a list of what it asked of the network."""
    hidden = ("WHYLOGS_NO_ANALYTICS", "_WHYLABS_SKIP_CONFIG_READ")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-c", WATCHED, code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.integration
def test_nothing_is_asked_of_the_network(tmp_path):
    code = f"""
import pandas as pd
from newsclf.profiling.profile import TextProfile
from newsclf.profiling import summary, writers
profile = TextProfile()
profile.log(pd.DataFrame({{"text": ["a"], "x": [1.0], "label": ["b"]}}))
path = profile.write({str(tmp_path / "p.bin")!r})
summary.key_numbers(TextProfile.read(path).merge(profile))
writers.write(profile, "none")
"""
    assert ran(code).stdout == "[]\n"
    # whylogs alone would have called home: else this test sees nothing.
    assert ran("import whylogs").stdout != "[]\n"


@pytest.mark.integration
def test_whylogs_prints_nothing():
    code = """
from newsclf.profiling.profile import TextProfile
TextProfile.from_bytes(TextProfile().to_bytes(), "a profile of nothing")
"""
    assert ran(code).stderr == ""
