"""The page of a retraining."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from newsclf.reports.retraining import write_report
from newsclf.retraining.policy import LABEL
from tests.reports.made import Page
from tests.retraining.test_outcome import outcome, with_promotion


@pytest.mark.parametrize(("decision", "state"), [("promoted", "no-drift"), ("refused", "drift")])
def test_what_was_trained_and_decided_is_told(tmp_path: Path, decision: str, state: str) -> None:
    write_report(tmp_path / "r.html", with_promotion(decision), "The stream s")
    page = Page(tmp_path / "r.html")
    assert f'<p class="headline {state}">' in page.source
    assert f"The stream s {decision} models:/news/2" in page.text
    assert "models:/news/2 was trained on 100 new rows, and on 900 that the champion was trained on" in page.text
    assert "the 40 newest labelled rows were held out to test it" in page.text
    assert "Too few rows had the classes z, which were left out." in page.text
    assert "latency_ms 3 new/accuracy 0.9" in page.text
    assert "day 1 ▲ drift 100 Drift (prior): prior!" in page.text


def test_a_model_that_is_tested_again_was_trained_before(tmp_path: Path) -> None:
    found = with_promotion("refused")
    found.rows = None
    write_report(tmp_path / "r.html", found, "The stream s")
    said = "models:/news/2, which was trained for this drift and refused, was tested again, by 40 new rows"
    assert said in Page(tmp_path / "r.html").text


def test_old_rows_that_were_left_out_are_said(tmp_path: Path) -> None:
    found = with_promotion("promoted")
    assert found.rows is not None
    found.rows = dataclasses.replace(found.rows, old_rows=0)
    write_report(tmp_path / "r.html", found, "The stream s")
    assert "Old rows were left out: their labels are not true any more." in Page(tmp_path / "r.html").text


def test_texts_to_label_are_listed(tmp_path: Path) -> None:
    found = outcome(LABEL)
    found.to_label = pd.DataFrame({"text": ["<b>one</b>", "two"]})
    write_report(tmp_path / "r.html", found, "The stream s")
    page = Page(tmp_path / "r.html")
    assert "To label <b>one</b> two" in page.text
    assert "What was decided" not in page.text
