"""The monitor's verdicts come together with the rows they are about, by what the rows are."""

from pathlib import Path

import pandas as pd
import pytest

from newsclf.config import RetrainConfig
from newsclf.monitoring.batches import batches
from newsclf.monitoring.state import Record, key_of, write_records
from newsclf.retraining.judged_stream import StreamBatch, judged_batches


def table(path: Path, *rows: tuple[str | None, str | None]) -> None:
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)


@pytest.fixture
def config(tmp_path: Path) -> RetrainConfig:
    """A stream of two days, of which the first is labelled in part, and not at all."""
    table(tmp_path / "stream" / "2026-01-01.csv", ("one", "a"), ("two", None), (" ", None))
    table(tmp_path / "stream" / "2026-01-02.csv", ("three", None))
    return RetrainConfig(stream=str(tmp_path / "stream"))


@pytest.fixture
def records(tmp_path: Path, config: RetrainConfig) -> Path:
    return judged_by_a_monitor(tmp_path, config)


def judged_by_a_monitor(tmp_path: Path, config: RetrainConfig) -> Path:
    """What the monitor says of the stream."""
    judged = [
        Record(
            number=number,
            name=batch.name,
            key=key_of(batch.content, "scope"),
            date=batch.date.isoformat() if batch.date else None,
            time="2026-01-09T00:00:00+00:00",
            rows=len(batch.texts),
            numbers={},
            verdict={"drifted": number == 2},
        )
        for number, batch in enumerate(batches(config.stream, config), start=1)
    ]
    write_records(tmp_path / "records.json", judged, "scope")
    return tmp_path / "records.json"


def shown(found: list[StreamBatch]) -> list[tuple[str, bool, list[str], list[str]]]:
    return [
        (
            one.judged.name,
            one.judged.verdict["drifted"],
            [f"{text} {label}" for text, label in one.rows.itertuples(index=False)],
            one.unlabelled["text"].tolist(),
        )
        for one in found
    ]


def test_a_verdict_has_its_rows(config: RetrainConfig, records: Path) -> None:
    found = judged_batches(config, records)
    assert shown(found) == [("2026-01-01.csv", False, ["one a"], ["two"]), ("2026-01-02.csv", True, [], ["three"])]
    assert [one.judged.labelled for one in found] == [1, 0]
    assert found[0].unlabelled["batch"].tolist() == ["2026-01-01.csv"]


def test_a_file_with_another_name_is_another_batch(config: RetrainConfig, records: Path) -> None:
    folder = Path(config.stream)
    (folder / "2026-01-01.csv").rename(folder / "moved.csv")
    assert shown(judged_batches(config, records))[0] == ("2026-01-01.csv", False, [], [])


def test_a_file_that_has_changed_since_is_not(config: RetrainConfig, records: Path) -> None:
    table(Path(config.stream) / "2026-01-01.csv", ("another", "a"))
    assert shown(judged_batches(config, records))[0] == ("2026-01-01.csv", False, [], [])


def test_rows_of_a_feed_that_is_stuck_count_once(config: RetrainConfig, tmp_path: Path) -> None:
    table(Path(config.stream) / "2026-01-03.csv", ("three", None))
    table(Path(config.stream) / "2026-01-04.csv", ("four", "b"))
    table(Path(config.stream) / "2026-01-05.csv", ("four", "b"))
    found = shown(judged_batches(config, judged_by_a_monitor(tmp_path, config)))
    assert [(name, rows, unlabelled) for name, _, rows, unlabelled in found[1:]] == [
        ("2026-01-02.csv", [], ["three"]),
        ("2026-01-03.csv", [], []),
        ("2026-01-04.csv", ["four b"], []),
        ("2026-01-05.csv", [], []),
    ]


@pytest.mark.parametrize(
    ("name", "batch"), [("2026-01-01.csv", 0), ("2026-01-08.csv", 1), ("undated.csv", 1), ("2025-12-31.csv", 1)]
)
def test_labels_that_come_apart_belong_to_the_batch_before_them(
    tmp_path: Path, config: RetrainConfig, records: Path, name: str, batch: int
) -> None:
    table(tmp_path / "labels" / name, ("late", "b"))
    labelled = RetrainConfig(stream=config.stream, labelled=str(tmp_path / "labels"))
    found = judged_batches(labelled, records)
    assert ["late b" in rows for _, _, rows, _ in shown(found)] == [batch == 0, batch == 1]


def test_a_stream_without_a_judged_batch(tmp_path: Path, config: RetrainConfig) -> None:
    write_records(tmp_path / "records.json", [], "scope")
    assert judged_batches(config, tmp_path / "records.json") == []


@pytest.mark.parametrize("named", [True, False])
def test_texts_to_label_can_be_found_again(named: bool, tmp_path: Path) -> None:
    """By the id and what is kept of the stream's rows, else by file and line; newly labelled rows need none."""
    stream = tmp_path / "stream"
    stream.mkdir()
    (stream / "2026-01-01.csv").write_text("no,desk,text\n7,city,one\n,,two\n")
    table(tmp_path / "labelled" / "more.csv", ("more", "a"))
    options = {"id_column": "no", "keep_columns": ("desk",)} if named else {}
    config = RetrainConfig(stream=str(stream), labelled=str(tmp_path / "labelled"), **options)  # type: ignore[arg-type]
    (found,) = judged_batches(config, judged_by_a_monitor(tmp_path, config))
    unlabelled = found.unlabelled
    assert list(unlabelled)[:2] == ["batch", "text"]
    if named:
        assert unlabelled["row_id"].tolist() == ["7", "2026-01-01.csv:3"]
        assert unlabelled["desk"].fillna("").tolist() == ["city", ""]
    else:
        assert unlabelled["row_id"].tolist() == ["2026-01-01.csv:2", "2026-01-01.csv:3"]
    assert found.rows["text"].tolist() == ["more"]
