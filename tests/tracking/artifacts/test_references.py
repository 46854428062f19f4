"""Where a fitted reference is kept: what it was fitted under belongs to its name; the rest is in test_profile.py."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from newsclf.config import DataOptions, EvaluateConfig
from newsclf.data import fingerprint_texts
from newsclf.drift import Reference
from newsclf.tracking.artifacts import references
from newsclf.tracking.artifacts.references import open_reference

LABELS = ("Sports", "World")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = [
        f"{LABELS[number % 2]},Team {number} beats team {number % 7} by {number % 5} goals" for number in range(120)
    ]
    path = tmp_path / "normal.csv"
    path.write_text("\n".join(["label,text", *lines]) + "\n")
    return path


def kept_for(table: Path, folder: Path, precision: str) -> set[str]:
    """The names of the references that are kept in `folder` after a call under this arithmetic."""
    compute = EvaluateConfig(model="none", device="cpu", precision=precision)
    reference = open_reference(DataOptions(dataset=str(table)), str(table), folder, compute, "tokens")
    assert reference.classes == LABELS
    return {path.name for path in (folder / "reference").iterdir()}


def test_one_arithmetic_does_not_read_what_another_has_fitted(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted, fit = list[str](), references.fit_reference

    def noted(*rows: Any, precision: str, **options: Any) -> Reference:
        fitted.append(precision)
        return fit(*rows, precision=precision, **options)

    monkeypatch.setattr(references, "fit_reference", noted)
    single = kept_for(table, tmp_path, "fp32")
    assert kept_for(table, tmp_path, "fp32") == single
    assert len(kept_for(table, tmp_path, "bf16")) == 2
    assert fitted == ["fp32", "bf16"]


def test_a_reference_of_the_version_before_is_found(table: Path, tmp_path: Path) -> None:
    """It was fitted in float32, and its name said nothing of it."""
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    content = [fingerprint_texts([row[place] for row in rows]) for place in (1, 0)]
    name = hashlib.sha256(" ".join([*content, "0", "tokens", ""]).encode()).hexdigest()[:16]
    assert kept_for(table, tmp_path, "fp32") == {name}
