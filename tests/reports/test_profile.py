"""The page of a profile, made of a real profile and a real reference."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from newsclf.drift import Reference, fit_reference
from newsclf.profiling.profile import TextProfile
from newsclf.reports import profile as profile_page
from newsclf.reports.profile import write_report
from tests.drift.conftest import News
from tests.reports.made import Page


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fit_reference(*News(np.random.default_rng(1)).rows(400))


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    """Of other shares of the classes, and with an empty text, which has no place on the map."""
    texts, labels = News(np.random.default_rng(2)).rows(200, (0.8, 0.1, 0.1))
    return pd.DataFrame({"text": ["", *texts], "label": ["World", *labels]})


def write(path: Path, reference: Reference | None, sample: pd.DataFrame) -> Page:
    texts, labels = sample["text"].tolist(), sample["label"].tolist()
    profile, batch = TextProfile(), None
    if reference is None:
        profile.log(pd.DataFrame({"characters": [float(len(text)) for text in texts], "label": labels}))
    else:
        batch = reference.read(texts, labels)
        batch.log_to(profile)
    write_report(
        path,
        title="Profile of news",
        profile=profile,
        before=reference.profile if reference else None,
        held_out=reference.held_out if reference else None,
        batch=batch,
        verdict=reference.judge(batch) if reference and batch else None,
        facts={"dataset": "news"},
    )
    return Page(path)


@pytest.fixture(scope="module")
def page(reference: Reference, sample: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return write(tmp_path_factory.mktemp("profile") / "report.html", reference, sample)


def test_every_column_stands_beside_that_of_the_reference(page: Page) -> None:
    assert "Profile of news ▲ drift Drift (prior): " in page.text
    assert "characters" in page.text
    assert "direction_1" in page.text
    assert "Shares of labels" in page.text
    assert "Shares of predicted labels" in page.text
    assert "Not in the" not in page.text


def test_the_shares_of_the_classes_are_those_of_the_sample(page: Page, sample: pd.DataFrame) -> None:
    shares = [row["share"] for row in page.charts["classes-0"]["datasets"]["rows"] if row["side"] == "current"]
    counted = sample["label"].value_counts(normalize=True).sort_index()
    assert shares == pytest.approx(counted.tolist(), abs=1e-4)


def test_the_map_has_every_text_that_is_not_empty(page: Page, reference: Reference, sample: pd.DataFrame) -> None:
    rows = page.charts["map"]["datasets"]["rows"]
    current = [row for row in rows if row["side"] == "current"]
    assert len(current) == 200
    assert len(rows) - len(current) == len(reference.held_out.columns)
    assert {row["say"].partition("\n")[2] for row in current} == set(sample["text"][1:])
    assert {row["say"].split(", ")[1] for row in rows} == set(reference.classes)
    # The arrow keys begin with the text that is farthest from all others, which heads the list as well.
    listed = page.text.partition("nearest class ")[2]
    first = next(row for row in rows if row["side"] == "current")
    assert listed.startswith(first["say"].partition("\n")[2])


def test_a_column_has_the_unit_of_its_own_effect(reference: Reference, tmp_path: Path) -> None:
    """Where the subject moved most surely, the whole of covariate drift is told in standard deviations."""
    news = News(np.random.default_rng(3))
    labels = news.rows(200)[1]  # of all classes, so that their shares explain nothing
    sample = pd.DataFrame({"text": [news.text("Business") for _ in labels], "label": labels})
    page = write(tmp_path / "report.html", reference, sample)
    kind, _, columns = page.text.partition(" Columns The share of rows")
    assert re.search(r"covariate ▲ drift p < 0.001 effect [\d.]+ standard deviations", kind)
    units = re.findall(r"(\w+) (?:▲ moved )?p [<\d. ]+ effect [\d.]+ (share of \w+|standard deviations)", columns)
    assert {unit for _, unit in units} == {"share of texts", "share of rows"}
    assert {name for name, unit in units if unit == "share of rows"} == {"empty", "missing"}


def test_of_a_large_sample_the_points_are_few_and_evenly_spaced(
    reference: Reference, sample: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_page, "MAX_POINTS", 3)
    rows = write(tmp_path / "report.html", reference, sample).charts["map"]["datasets"]["rows"]
    drawn = {row["say"].partition("\n")[2] for row in rows if row["side"] == "current"}
    assert drawn == {sample["text"][1], sample["text"][101], sample["text"][200]}
    assert sum(row["side"] == "reference" for row in rows) == 3


def test_without_a_reference_there_is_no_map_and_no_verdict(sample: pd.DataFrame, tmp_path: Path) -> None:
    page = write(tmp_path / "report.html", None, sample)
    assert "201 rows profiled; there is no reference to compare them with." in page.text
    assert "No map: this report was made from profiles alone" in page.text
    assert list(page.charts) == ["column-0", "classes-0"]
