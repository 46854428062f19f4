"""The profile of what a served model is asked holds what `profile` would have found in the same texts."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from newsclf.drift import fit_reference, load_reference, save_reference
from newsclf.drift.predictor import KnownPredictor
from newsclf.errors import InputError
from newsclf.profiling.profile import TextProfile
from newsclf.profiling.summary import summarise
from newsclf.serving import request_profiles as request_profile
from newsclf.serving.request_profiles import RequestProfiles

CLASSES = ("Sports", "World")
WORDS = "a of the in talks goal votes match cup budget minister keeper season border final league law party"


def texts(count: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS.split(), random.integers(4, 20))) for _ in range(count)]


def predicted(asked: Sequence[str]) -> np.ndarray:
    """Probabilities [texts, 2] that follow from the text alone."""
    sports = np.array([0.05 + 0.9 * (len(text) % 10) / 10 for text in asked])
    return np.column_stack([sports, 1 - sports])


class Model:
    name, classes = "the model", CLASSES

    def predict_proba(self, asked: Sequence[str]) -> np.ndarray:
        return predicted(asked)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    rows = texts(400, seed=0)
    save_reference(fit_reference(rows, [CLASSES[len(text) % 2] for text in rows], Model()), folder)
    return folder


def asked(profiles: RequestProfiles, requests: list[list[str]]) -> None:
    for request in requests:
        profiles.add(request, predicted(request))


def the_file(folder: Path) -> TextProfile:
    (file,) = folder.iterdir()
    return TextProfile.read(file)


def test_it_holds_the_columns_of_profile(reference: Path, tmp_path: Path) -> None:
    profiles = RequestProfiles(reference, CLASSES, str(tmp_path / "new"))
    rows = texts(60, seed=1)
    asked(profiles, [rows[:1], rows[1:20], rows[20:]])
    profiles.flush()
    known = KnownPredictor("", CLASSES)
    known.set(rows, predicted(rows))
    opened = load_reference(reference, known)
    found = the_file(tmp_path / "new")
    assert (found.reference, found.encoder_sha256, found.rows) == (opened.id, opened.encoder_sha256, 60)
    expected = opened.read(rows).columns
    assert set(found.columns) == {*expected.columns, "text"}
    summaries = summarise(found)
    for name in ("characters", "direction_1", "confidence", "entropy"):
        assert summaries[name].mean == pytest.approx(expected[name].mean(), rel=1e-5), name
    assert dict(summaries["predicted_label"].items) == expected["predicted_label"].value_counts().to_dict()


def test_no_text_is_in_it(reference: Path, tmp_path: Path) -> None:
    profiles = RequestProfiles(reference, CLASSES, str(tmp_path))
    asked(profiles, [["the secret of Rumpelstiltskin is told"]])
    profiles.flush()
    (file,) = tmp_path.iterdir()
    assert b"umpelstiltski" not in file.read_bytes()


def test_each_hour_has_a_file_and_a_later_flush_adds_to_it(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        moment = datetime(2026, 3, 1, 11, 59, tzinfo=UTC)

        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return cls.moment

    monkeypatch.setattr(request_profile, "datetime", Clock)
    profiles = RequestProfiles(reference, CLASSES, str(tmp_path))
    asked(profiles, [texts(3, seed=2)])
    profiles.flush()
    asked(profiles, [texts(4, seed=3)])
    Clock.moment += timedelta(minutes=2)
    asked(profiles, [texts(5, seed=4)])
    profiles.flush()
    found = {file.name.split("_")[1]: TextProfile.read(file) for file in tmp_path.iterdir()}
    assert {hour: profile.rows for hour, profile in found.items()} == {"2026-03-01T11": 7, "2026-03-01T12": 5}
    assert found["2026-03-01T12"].timestamp == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_counts_in_the_background_and_every_request_once(reference: Path, tmp_path: Path) -> None:
    profiles = RequestProfiles(reference, CLASSES, str(tmp_path))
    profiles.start()
    rows = texts(600, seed=5)
    threads = [threading.Thread(target=asked, args=(profiles, [[text] for text in rows[part::4]])) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    profiles.end()
    assert the_file(tmp_path).rows == 600
    asked(profiles, [["one more, while the server ends"]])
    assert the_file(tmp_path).rows == 601


def test_a_folder_that_cannot_be_written_does_not_stop_the_answers(
    reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    profiles = RequestProfiles(reference, CLASSES, str(folder))
    asked(profiles, [texts(3, seed=6)])
    folder.rmdir()
    folder.write_text("a file stands in the way")
    profiles.flush()
    assert "profile of requests was not written" in capsys.readouterr().err
    folder.unlink()
    profiles.flush()
    assert the_file(folder).rows == 3


@pytest.mark.parametrize("destination", ["ftp://host/folder", "s3://"])
def test_a_place_that_is_none_is_refused_at_the_start(reference: Path, destination: str) -> None:
    with pytest.raises(InputError):
        RequestProfiles(reference, CLASSES, destination)
