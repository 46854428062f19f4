"""What in a stream is a batch, what is left out, and that it is named."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.monitoring.stream_items import Item, date_in, items_of


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text("text\nx\n")
    return folder


def shown(items: list[Item]) -> list[tuple[str, int]]:
    """(name, number of files) of each."""
    return [(item.name, len(item.files.files)) for item in items]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b.csv", "a.tsv", "c.csv.gz"], [("a.tsv", 1), ("b.csv", 1), ("c.csv.gz", 1)]),
        (["date=2026-01-02/part-0.parquet", "date=2026-01-02/part-1.parquet"], [("date=2026-01-02", 2)]),
        (["date=2026-01-02/hour=05/p.csv", "date=2026-01-02/hour=06/p.csv"], [("date=2026-01-02", 2)]),
        (["date=2026-01-02/label=a/p.csv", "date=2026-01-02/label=b/p.csv"], [("date=2026-01-02", 2)]),
        (["year=2026/month=1/day=2/p.csv", "year=2026/month=1/day=3/p.csv"],
         [("year=2026/month=1/day=2", 1), ("year=2026/month=1/day=3", 1)]),
        (["year=2026/month=01/a.csv", "year=2026/month=01/b.csv"], [("year=2026/month=01", 2)]),
        (["2026-01-02/a.csv", "2026-01-02/b.csv"], [("2026-01-02", 2)]),
        (["2026/01/02/a.csv", "2026/01/02/b.csv"], [("2026/01/02", 2)]),
        (["2026-01-05_late/2026-01-02.csv", "2026-01-05_late/2026-01-03.csv"],
         [("2026-01-05_late/2026-01-02.csv", 1), ("2026-01-05_late/2026-01-03.csv", 1)]),
        (["january/a.csv", "january/b.csv", "z.csv"], [("january/a.csv", 1), ("january/b.csv", 1), ("z.csv", 1)]),
        (["news.csv/part-0.csv", "news.csv/part-1.csv", "news.csv/_SUCCESS"], [("news.csv", 2)]),
        (["date=2026-01-01/p.csv", "date=2026-01-02/_SUCCESS", "date=2026-01-03/"],
         [("date=2026-01-01", 1), ("date=2026-01-02", 0), ("date=2026-01-03", 0)]),
    ],
)  # fmt: skip
def test_what_is_a_batch(tmp_path, names, expected):
    items, left_out = items_of(str(tree(tmp_path, *names)))
    assert (shown(items), left_out) == (expected, [])


def test_what_is_left_out_is_named(tmp_path):
    tree(
        tmp_path, "a.csv", "b.xlsx", "c.csv.part", "_SUCCESS", ".a.csv.crc", ".b.csv", "archive/", "docs/notes.md",
        "truth.json", "reference/reference.parquet",
    )  # fmt: skip
    items, left_out = items_of(str(tmp_path))
    assert shown(items) == [("a.csv", 1)]
    assert left_out == [
        'left out: .b.csv (its name begins with "."), b.xlsx (a spreadsheet), c.csv.part (unknown ending), '
        "docs/notes.md (unknown ending), reference (of a simulated stream), truth.json (of a simulated stream), "
        "archive/ (no table in it), docs/ (no table in it)"
    ]


def test_one_table_is_one_item(tmp_path):
    (item,), left_out = items_of(str(tree(tmp_path, "news.csv") / "news.csv"))
    assert (item.name, item.source, item.one_file, left_out) == ("news.csv", str(tmp_path / "news.csv"), True, [])


def test_a_glob_is_a_stream(tmp_path):
    tree(tmp_path, "2026-01-01.csv", "2026-01-02.csv", "2025-12-31.csv")
    assert shown(items_of(f"{tmp_path}/2026-*.csv")[0]) == [("2026-01-01.csv", 1), ("2026-01-02.csv", 1)]


def test_streams_without_a_table(tmp_path):
    with pytest.raises(InputError, match=r"is empty: it has no \.csv"):
        items_of(str(tmp_path))
    with pytest.raises(InputError, match="has no table but those of a simulated stream's reference"):
        items_of(str(tree(tmp_path, "reference/r.csv")))
    for name in ("nothing", "nothing.csv"):
        with pytest.raises(InputError, match="nothing"):
            items_of(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("news_20260131.csv", (2026, 1, 31)), ("2026-01-31.csv", (2026, 1, 31)), ("20261399.csv", None),
        ("batch_0001.csv", None), ("id_120260131.csv", None), ("2026-0131.csv", None),
        ("day=2026-01-31/p.csv", (2026, 1, 31)), ("2026-01-01/2026-01-31.csv", (2026, 1, 31)),
        ("2026-01-01_to_2026-01-31.csv", (2026, 1, 31)), ("YEAR=2026/MONTH=1/DAY=31/p.csv", (2026, 1, 31)),
        ("year=2026/month=01", None),
    ],
)  # fmt: skip
def test_dates_in_names(name, expected):
    assert date_in(name) == (datetime(*expected).replace(tzinfo=UTC) if expected else None)
