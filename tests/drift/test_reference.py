from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift import Verdict, fit_reference, load_reference, save_reference
from newsclf.drift.fitting import MIN_TEXTS
from newsclf.drift.kinds import NAMES
from newsclf.drift.reference import MIN_ROWS
from newsclf.errors import InputError
from newsclf.features.text_statistics import STATISTICS
from newsclf.profiling.profile import TextProfile

from .conftest import CLASSES, SUBJECTS


class Keywords:
    """A predictor from outside: it counts the words that tell a class. `calls` are the texts that it was given."""

    def __init__(self, name: str = "runs:/keywords/model", sure: float = 1.0) -> None:
        self.name, self.classes, self.sure = name, CLASSES, sure
        self.calls: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        assert len(texts), "nobody asks for nothing"
        self.calls.append(list(texts))
        words = [set(text.lower().strip(".").split()) for text in texts]
        found = np.array([[len(have & set(SUBJECTS[name].split())) for name in CLASSES] for have in words])
        likely = np.exp(self.sure * found)
        return likely / likely.sum(axis=1, keepdims=True)


# What a batch is made of, and what the verdict has to say of it.


def test_without_a_change_there_is_seldom_a_drift(reference, news):
    drifted = []
    for _ in range(40):
        texts, labels = news.rows(150)
        drifted += [reference.judge(texts, labels).drifted, reference.judge(texts).drifted]
    assert sum(drifted) <= stats.binom.ppf(0.999, 40, 0.05) * 2


def foreign(news, texts, labels):
    return [news.text("Foreign") if row < 24 else text for row, text in enumerate(texts)], None


def garbled(news, texts, labels):
    return [text.replace("e", "3").replace("o", "0") if row < 24 else text for row, text in enumerate(texts)], labels


def more_business(news, texts, labels):
    return news.rows(len(texts), (0.6, 0.2, 0.2))


def more_business_without_labels(news, texts, labels):
    return more_business(news, texts, labels)[0], None


def relabelled(news, texts, labels):
    return texts, [*news.random.choice(CLASSES, 120).tolist(), *labels[120:]]


def empty(news, texts, labels):
    return ["", " ", None, *texts[3:12], *[""] * 9, *texts[21:]], labels


def repeated(news, texts, labels):
    return texts[:20] * 2 + texts[40:], labels[:20] * 2 + labels[40:]


def unknown(news, texts, labels):
    return texts, [*["Weather"] * 20, *labels[20:]]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (foreign, "covariate"),
        (garbled, "covariate"),
        (more_business, "prior"),
        (more_business_without_labels, "prior"),
        (relabelled, "concept"),
        (empty, "quality"),
        (repeated, "quality"),
        (unknown, "quality"),
    ],
)
def test_each_kind_is_seen_and_named(change, kind, reference, news):
    for _ in range(3):
        verdict = reference.judge(*change(news, *news.rows(240)))
        assert verdict.drifted is True
        assert verdict.kind == kind
        assert verdict.kinds[kind].significant
        assert verdict.rows == 240


def test_unreadable_rows_are_a_fault_of_quality(reference, news):
    verdict = reference.judge(news.texts(200), unreadable=20)
    assert verdict.kind == "quality"
    assert verdict.rows == 220
    assert "cannot be read" in verdict.sentence


def test_alpha_is_passed_on(reference, news):
    texts = news.texts(100)
    loose, strict = reference.judge(texts, alpha=0.5), reference.judge(texts, alpha=1e-6)
    assert (loose.alpha, strict.alpha) == (0.5, 1e-6)
    assert strict.drifted is False
    assert [finding.p_value for finding in loose.kinds.values()] == [f.p_value for f in strict.kinds.values()]


def test_a_missing_label_is_no_unknown_class(reference, news):
    texts, labels = news.rows(150)
    some = reference.judge(texts, [None, float("nan"), *[None] * 60, *labels[62:]])
    assert some.drifted is False
    assert some.kinds["concept"].drifted is False
    assert reference.judge(texts, [None] * 150) == reference.judge(texts)


def test_not_enough_data_is_never_no_drift(reference, news):
    texts, labels = news.rows(MIN_ROWS)
    assert reference.judge(texts, labels).drifted is not None
    for few in (reference.judge(texts[1:], labels[1:]), reference.judge([]), reference.judge(texts, min_rows=51)):
        assert (few.drifted, few.kind) == (None, None)
        assert "ot enough data" in few.sentence
        assert set(few.kinds) == set(NAMES)
    assert reference.judge(texts[1:], unreadable=1).drifted is not False, "a row that cannot be read is no text"
    assert reference.judge(texts[:3], min_rows=3).drifted is not None


def test_nothing_but_empty_texts_is_a_fault_of_quality(reference):
    verdict = reference.judge(["", None, " "] * 30)
    assert verdict.kind == "quality"
    assert verdict.kinds["covariate"].drifted is None
    assert "not enough data: 0 texts that are not empty" in verdict.kinds["covariate"].sentence


def test_empty_texts_as_in_the_reference_do_not_make_a_verdict(news):
    sparse = fit_reference([*news.texts(150), *[""] * 600])
    verdict = sparse.judge([*news.texts(20), *[""] * 80])
    assert verdict.kinds["quality"].drifted is False
    assert verdict.drifted is None
    assert verdict.sentence == "Not enough data: 20 texts that are not empty, 50 are needed."


def test_any_sequence_will_do(reference, news):
    texts, labels = news.rows(120)
    texts[5] = None
    frame = pd.DataFrame({"text": texts, "label": labels}, index=np.arange(120)[::-1] + 7)
    frame.loc[frame["text"].isna(), "text"] = np.nan
    expected = reference.judge(texts, labels)
    assert reference.judge(frame["text"], frame["label"]) == expected
    assert reference.judge(frame["text"].to_numpy(), frame["label"].to_numpy()) == expected
    pd.testing.assert_frame_equal(reference.read(frame["text"]).columns, reference.read(texts).columns)


def test_odd_texts_are_judged(reference, news):
    odd = ["\ud800", "\u200b", "\0", "1 2 3", "北京", "👩‍👧", "x" * 100_000, "  \u3000", "a\x85b"]
    verdict = reference.judge([*odd * 6, *news.texts(60)], [*["World"] * 54, *["Sports"] * 60])
    assert verdict.drifted is True
    assert Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict


# What a reference is fitted to.


def test_the_same_seed_gives_the_same_reference(reference_rows, reference, news):
    texts, labels = news.rows(100)
    first, second = reference_rows
    again, other = fit_reference(first, second), fit_reference(first, second, seed=1)
    assert again.id == reference.id != other.id
    assert again.judge(texts, labels) == reference.judge(texts, labels) != other.judge(texts, labels)


def test_a_reference_as_a_pandas_table(reference_rows, reference):
    frame = pd.DataFrame(dict(zip(("text", "label"), reference_rows, strict=True))).iloc[::-1].iloc[::-1]
    frame.index = frame.index[::-1]
    assert fit_reference(cast(Any, frame["text"]), cast(Any, frame["label"])).id == reference.id


def test_no_text_is_compared_with_a_map_of_itself(reference):
    """Half of the texts made the map; compared are those that did not."""
    assert len(reference.held_out.columns) == 500
    assert len(reference.reader.map.anchors) == 500
    assert reference.held_out.columns["distance"].min() > 0.01


def test_without_labels_classes_are_not_judged(news):
    plain = fit_reference(news.texts(300))
    assert plain.classes == ()
    texts, labels = news.rows(120)
    for verdict in (plain.judge(texts), plain.judge(texts, labels)):
        assert verdict.drifted is False
        assert {kind for kind, finding in verdict.kinds.items() if finding.drifted is None} == {
            "prior", "concept", "performance",
        }  # fmt: skip
    assert plain.judge(foreign(news, texts, None)[0]).kind == "covariate"


def test_one_class_only(news):
    single = fit_reference(news.texts(300), ["World"] * 300)
    verdict = single.judge(news.texts(120), ["World"] * 120)
    assert verdict.drifted is False
    assert verdict.kinds["prior"].sentence == "The reference has one class only."
    assert single.judge(news.texts(120), ["Sports"] * 120).kind == "quality"


def test_a_class_of_one_row(news):
    texts, labels = news.rows(300)
    rare = fit_reference(texts, ["Rare", *labels[1:]])
    assert rare.classes == ("Business", "Rare", "Sports", "World")
    assert rare.judge(*news.rows(120)).drifted is False


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_texts_that_are_all_alike(news):
    same = fit_reference(["nothing new today"] * 300, ["a", "b"] * 150)
    assert same.judge(["nothing new today"] * 100).drifted is False
    assert same.judge(news.texts(100)).kind == "covariate"


@pytest.mark.parametrize(
    ("texts", "labels", "held_out", "says"),
    [
        (["news"] * (MIN_TEXTS - 1), None, None, "of 99 texts that are not empty is too small: 100 are needed"),
        (["news"] * 60 + [""] * 500, None, None, "a reference of 60 texts that are not empty"),
        (["news"] * 200, ["a"] * 199, None, "200 texts and 199 labels"),
        (["news"] * 200, ["a"] * 197 + [None, None, np.nan], None, "3 of 200 labels of the reference are missing"),
        (["news"] * 200, ["a"] * 200, (["x"] * 49, ["a"] * 49), "49 held-out texts that are not empty are too few"),
        (["news"] * 200, ["a"] * 200, (["x"] * 60, ["a"] * 50), "60 texts and 50 labels"),
        (["news"] * 49, ["a"] * 49, (["x"] * 60, ["a"] * 60), "a reference of 49 texts"),
    ],
)
def test_what_is_no_reference(texts, labels, held_out, says):
    with pytest.raises(InputError, match=says):
        fit_reference(texts, labels, held_out=held_out)
    with pytest.raises(InputError, match="3 texts and 2 labels"):
        fit_reference(["some news"] * 100).judge(["a"] * 3, ["a"] * 2)


# Columns, as they go into a profile.


def test_columns(reference, news):
    texts, labels = news.rows(80)
    texts[3], texts[4] = "", None
    labels[5], labels[6] = "Weather", None
    frame = reference.read(texts, labels).columns
    assert list(frame)[: len(STATISTICS)] == list(STATISTICS)
    assert {
        *reference.held_out.columns,
        "label",
        "predicted_label",
        "confidence",
        "entropy",
        "margin",
        "correct",
    } <= set(frame)
    assert {f"distance_to_{name}" for name in CLASSES} <= set(frame)
    assert frame["missing"].sum() == 1
    assert frame["empty"].sum() == 2
    for name in ("distance", "direction_1", "confidence", "predicted_label", "surprise"):
        assert frame[name].isna().tolist() == [row in (3, 4) for row in range(80)], name
    assert frame["label_probability"].isna().tolist() == [row in (3, 4, 5, 6) for row in range(80)]
    agreed = (frame["predicted_label"] == frame["label"])[frame["correct"].notna()]
    assert (frame["correct"].dropna() == agreed).all()
    assert agreed.mean() > 0.9
    without = reference.read(texts).columns
    pd.testing.assert_frame_equal(without, frame[list(without)])


def test_columns_of_the_held_out_texts_are_in_its_profile(reference):
    columns = set(reference.read(["news"], ["World"]).columns)
    assert set(reference.profile.columns) == {*columns, "text"}
    assert reference.profile.rows == len(reference.held_out.columns)
    assert reference.profile.reference == reference.id


# A predictor from outside.


def test_a_predictor_from_outside(news, tmp_path):
    predictor = Keywords(sure=5)
    texts, labels = news.rows(400)
    fitted = fit_reference(texts, [*news.random.choice(CLASSES, 80).tolist(), *labels[80:]], predictor)
    assert fitted.light is None
    assert fitted.predictor_name == predictor.name
    assert fitted.temperature > 1.5, "it is too sure, and calibrated"
    texts, labels = news.rows(200)
    assert fitted.judge(texts, [*news.random.choice(CLASSES, 40).tolist(), *labels[40:]]).drifted is False
    assert fitted.judge(*relabelled(news, texts, labels)).kind == "concept"
    save_reference(fitted, tmp_path)
    assert load_reference(tmp_path, predictor).judge(texts, labels) == fitted.judge(texts, labels)
    alone = load_reference(tmp_path)
    assert alone.predictor_name == predictor.name
    assert alone.judge(texts, labels).kinds["concept"].drifted is None
    assert alone.judge(texts, labels).kinds["prior"].drifted is False
    assert "confidence" not in alone.read(texts).columns


def test_held_out_texts_are_those_the_predictor_has_not_learnt_from(news):
    predictor = Keywords()
    texts, (others, labels) = news.texts(200), news.rows(120)
    fitted = fit_reference(texts, ["World"] * 200, predictor, held_out=([*others, ""], [*labels, "World"]))
    assert sorted(text for call in predictor.calls for text in call) == sorted(others)
    assert len(fitted.held_out.columns) == 120
    assert len(fitted.reader.map.anchors) == 200, "all of the others made the map"


def test_a_predictor_reads_a_bounded_part_of_a_batch(news, monkeypatch):
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    predictor = Keywords()
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, labels, predictor)
    predictor.calls.clear()
    texts, labels = news.rows(200)
    first, second = fitted.judge(texts, labels), fitted.judge(texts, labels)
    assert [len(call) for call in predictor.calls] == [70, 70]
    assert first == second
    frame = fitted.read(["", *texts], ["World", *labels]).columns
    assert frame["confidence"].notna().sum() == 70
    read = frame.dropna(subset=["confidence"])
    assert (read["predicted_label"] == read["label"]).mean() > 0.8, "each beside its own row"


def assert_alike(one: Verdict, other: Verdict) -> None:
    """Of the same texts, but for the last digits: a product of matrices rounds by their shapes."""
    assert one.sentence == other.sentence
    assert one.numbers == pytest.approx(other.numbers, rel=1e-5)


def test_a_batch_is_read_once_and_judged_as_its_texts_are(news, monkeypatch):
    """With embedding "encoder" no more than READ_ROWS texts are judged, but all of a batch have a place on the map."""
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    predictor, embedded = Keywords(), []
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, labels, predictor)

    def embed(texts, counts):
        embedded.append(list(texts))
        return fitted.reader.embedder(texts, counts)

    quick = replace(fitted, reader=replace(fitted.reader, embedder=embed))
    slow = replace(quick, embedding="encoder")
    texts, labels = news.rows(200)
    texts = ["", *texts, None]
    labels = ["World", *labels, "World"]
    for reference, judged in ((quick, 200), (slow, 70)):
        predictor.calls.clear()
        embedded.clear()
        batch = reference.read(texts, labels, unreadable=3)
        verdict = reference.judge(batch)
        assert [sorted(call) for call in embedded] == [sorted(texts[1:-1])]
        assert [len(call) for call in predictor.calls] == [70]
        assert batch.columns["distance"].notna().sum() == 200
        assert len(batch.judged_rows) == judged
        assert (batch.filled, batch.rows, batch.bad_rows["unreadable"]) == (200, 205, 3)
        embedded.clear()
        assert_alike(reference.judge(texts, labels, unreadable=3), verdict)
        assert [len(call) for call in embedded] == [judged]


def test_of_many_texts_and_an_encoder_the_light_predictor_is_judged_by_some(reference, news, monkeypatch):
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    slow = replace(reference, embedding="encoder")
    texts, labels = news.rows(200)
    for given in (labels, None):
        batch = slow.read(texts, given)
        assert batch.columns["confidence"].notna().sum() == 200
        assert_alike(slow.judge(batch), slow.judge(texts, given))


def test_a_missing_label_is_not_the_class_none(news):
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, [{"World": "None"}.get(label, label) for label in labels])
    batch = fitted.read(["some news"] * 2, [None, "None"])
    assert batch.labels is not None
    assert batch.labels.tolist() == [-1, fitted.classes.index("None")]


def test_a_predictor_and_no_labels(news):
    fitted = fit_reference(news.texts(300), None, Keywords())
    frame = fitted.read(news.texts(10)).columns
    assert set(frame["predicted_label"]) <= set(CLASSES)
    assert fitted.judge(news.texts(100)).drifted is False


def test_a_predictor_that_knows_more_classes_than_the_reference(news):
    texts, labels = news.rows(450)
    kept = [row for row, label in enumerate(labels) if label != "World"]
    fitted = fit_reference([texts[row] for row in kept], [labels[row] for row in kept], Keywords())
    for verdict in (fitted.judge(*news.rows(150, (0.5, 0.5, 0))), fitted.judge(news.rows(150, (0.5, 0.5, 0))[0])):
        assert verdict.drifted is False
        assert all(finding.p_value is None or 0 <= finding.p_value <= 1 for finding in verdict.kinds.values())
    assert fitted.judge(news.rows(150)[0]).drifted is True


def test_a_predictor_that_knows_fewer(news):
    texts, labels = news.rows(200)
    with pytest.raises(InputError, match="labels that its predictor does not know: Weather"):
        fit_reference(texts, ["Weather", *labels[1:]], Keywords())


def test_a_batch_of_empty_texts_and_a_predictor(news):
    fitted = fit_reference([*news.texts(200), *[""] * 50], None, Keywords())
    assert fitted.read(["", None]).columns["empty"].tolist() == [1, 1]
    assert fitted.judge([""] * 100).kind == "quality"


# In a folder.


@pytest.fixture
def folder(reference, tmp_path) -> Path:
    save_reference(reference, tmp_path / "reference")
    return tmp_path / "reference"


def test_saved_and_loaded_it_says_the_same(reference, folder, news):
    loaded = load_reference(folder)
    texts, labels = news.rows(150)
    for batch in ((texts, labels), (texts, None), foreign(news, texts, labels), relabelled(news, texts, labels)):
        assert loaded.judge(*batch) == reference.judge(*batch)
    pd.testing.assert_frame_equal(loaded.read(texts, labels).columns, reference.read(texts, labels).columns)
    assert loaded.profile.to_bytes() == TextProfile.read(folder / "profile.bin").to_bytes()
    assert {file.name for file in folder.iterdir()} == {"reference.json", "reference.safetensors", "profile.bin"}


def test_no_text_is_in_the_files(reference_rows, folder):
    words = {word for text in reference_rows[0] for word in text.lower().strip(".").split() if len(word) >= 5}
    assert len(words) > 40
    for file in folder.iterdir():
        content = file.read_bytes().lower()
        for other in ("utf-8", "utf-16-le", "utf-32-le"):
            assert [word for word in words if word.encode(other) in content] == [], (file.name, other)
    assert b"sports" in (folder / "reference.json").read_bytes().lower(), "class names are"


def truncated(name: str, share: float) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(share * len(data))])

    return break_it


def changed(**facts: Any) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        known = json.loads((folder / "reference.json").read_text())
        (folder / "reference.json").write_text(json.dumps({**known, **facts}))

    return break_it


def of_another_profile(folder: Path) -> None:
    TextProfile("another").write(folder / "profile.bin")


def encoder_without_files(folder: Path) -> None:
    (folder / "encoder").mkdir()
    changed(encoder=str(folder / "encoder"))(folder)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "is no whole reference"),
    "no facts": (lambda folder: (folder / "reference.json").unlink(), "is no whole reference"),
    "no arrays": (lambda folder: (folder / "reference.safetensors").unlink(), "is no whole reference"),
    "no profile": (lambda folder: (folder / "profile.bin").unlink(), "cannot read the profile"),
    "half the facts": (truncated("reference.json", 0.5), "is no whole reference"),
    "empty facts": (truncated("reference.json", 0), "is no whole reference"),
    "half the arrays": (truncated("reference.safetensors", 0.5), "is no whole reference"),
    "nearly all arrays": (truncated("reference.safetensors", 0.999), "is no whole reference"),
    "half the profile": (truncated("profile.bin", 0.5), "is truncated or damaged"),
    "facts of nothing": (lambda folder: (folder / "reference.json").write_text("[]"), "is no whole reference"),
    "another profile": (of_another_profile, "profile.bin is that of another"),
    "another format": (changed(format=99), "has format 99, this version reads 1"),
    "another encoder": (changed(encoder_sha256="0" * 64), "was fitted with another encoder: minilm of sha256 0000"),
    "an encoder that is gone": (encoder_without_files, "has no config.json"),
    "columns that do not fit": (changed(columns=["one"]), "is no whole reference"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_folder(case, folder):
    break_it, says = BROKEN[case]
    break_it(folder)
    with pytest.raises(InputError, match=says) as error:
        load_reference(folder)
    assert len(str(error.value).splitlines()) == 1
    assert str(folder) in str(error.value)


def test_every_fact_is_needed(folder):
    known = json.loads((folder / "reference.json").read_text())
    for name in known:
        (folder / "reference.json").write_text(json.dumps({key: known[key] for key in known if key != name}))
        with pytest.raises(InputError, match="is no whole reference"):
            load_reference(folder)


def test_another_predictor(folder):
    predictor = Keywords()
    predictor.classes = ("a", "b", "c")
    with pytest.raises(InputError, match="knows the classes Business, Sports, World; its predictor knows others"):
        load_reference(folder, predictor)


@pytest.mark.parametrize("name", ["profile.bin", "reference.safetensors", "reference.json"])
def test_half_written_it_is_none(name, folder, reference_rows, monkeypatch):
    """Written over another one, and stopped before the file `name`."""

    texts, labels = reference_rows
    other, put = fit_reference(texts, labels, seed=1), os.replace

    def stop(source: Path, target: Path) -> None:
        if Path(target).name == name:
            raise KeyboardInterrupt
        put(source, target)

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save_reference(other, folder)
    monkeypatch.undo()
    with pytest.raises(InputError, match="is no whole reference"):
        load_reference(folder)
    save_reference(other, folder)
    assert load_reference(folder).id == other.id


def test_a_folder_that_cannot_be_written(reference, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        save_reference(reference, tmp_path / "file" / "reference")
