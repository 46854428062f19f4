"""A reference in a folder: the same when it comes back, and none where it is not whole."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from newsclf.drift import fit_reference, load_reference, save_reference
from newsclf.errors import InputError
from newsclf.profiling.profile import TextProfile
from tests.drift.conftest import Keywords, foreign, relabelled


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


def test_no_text_is_in_the_files(reference_rows, tmp_path):
    """No three words of a text are, and no word but those that three texts and more have."""
    texts = [*reference_rows[0], "Zanzibar calls Quetzalcoatl tonight", "Quetzalcoatl answers"]
    save_reference(fit_reference(texts), tmp_path)
    parted = [text.lower().strip(".").split() for text in texts]
    kept_out = {" ".join(words[place : place + 3]) for words in parted for place in range(len(words) - 2)}
    kept_out |= {"zanzibar", "quetzalcoatl"}
    assert len(kept_out) > 1000
    for file in tmp_path.iterdir():
        content = file.read_bytes().lower()
        for other in ("utf-8", "utf-16-le", "utf-32-le"):
            assert [part for part in kept_out if part.encode(other) in content] == [], (file.name, other)
    assert "minister" in json.loads((tmp_path / "reference.json").read_text())["terms"]


def test_a_reference_of_before_words_were_counted_is_read(folder, tmp_path, news):
    """It judges by its columns alone."""
    old = shutil.copytree(folder, tmp_path / "old")
    facts = json.loads((old / "reference.json").read_text())
    del facts["terms"]
    (old / "reference.json").write_text(json.dumps(facts))
    arrays = load_file(old / "reference.safetensors")
    save_file({name: array for name, array in arrays.items() if "terms" not in name}, old / "reference.safetensors")
    loaded = load_reference(old)
    assert loaded.held_out.terms is None
    assert loaded.judge(news.texts(200)).drifted is False


@pytest.mark.parametrize(
    ("terms", "texts", "rows"),
    [
        (["a"], [[1, 1]], [5, 5]),
        (["a", "b"], [[-1], [1]], [5]),
        (["a", "b"], [[6], [1]], [5]),
        (["a", "a"], [[1], [1]], [5]),
        (["a", "b", "c"], [[1], [1]], [5]),
        (["a", 1], [[1], [1]], [5]),
        (["a", "b"], [[0], [0]], [0]),
    ],
)
def test_terms_that_do_not_fit_are_bad_input(folder, tmp_path, terms, texts, rows):
    broken = shutil.copytree(folder, tmp_path / "broken")
    facts = json.loads((broken / "reference.json").read_text()) | {"terms": terms}
    (broken / "reference.json").write_text(json.dumps(facts))
    counts = {"terms.texts": np.array(texts, np.int32), "terms.rows": np.array(rows)}
    save_file(load_file(broken / "reference.safetensors") | counts, broken / "reference.safetensors")
    with pytest.raises(InputError, match="is no whole reference"):
        load_reference(broken)


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


def written(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def piped(name: str) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return break_it


def linked(name: str) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return break_it


def reshaped(name: str) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        arrays = load_file(folder / "reference.safetensors")
        arrays[name] = np.ascontiguousarray(arrays[name][None])
        save_file(arrays, folder / "reference.safetensors")

    return break_it


def spoilt(name: str, value: float = np.nan) -> Callable[[Path], None]:
    def break_it(folder: Path) -> None:
        arrays = load_file(folder / "reference.safetensors")
        if np.isnan(value):
            arrays[name] = arrays[name].astype(np.float32)
        arrays[name].reshape(-1)[-1] = value
        save_file(arrays, folder / "reference.safetensors")

    return break_it


ARRAYS = (
    "map.weights", "map.surprise", "map.rarity", "map.mean", "map.directions", "map.anchors", "map.centres", "words",
    "held_out", "labels", "probabilities", "light.weights", "light.bias",
)  # fmt: skip
WRONG_FACTS: tuple[tuple[str, Any], ...] = (
    ("id", 7), ("encoder", None), ("embedding", []), ("predictor_name", {}), ("classes", "abc"), ("classes", ["a"] * 4),
    ("map_classes", [1, 2]), ("columns", {}), ("temperature", "1"), ("temperature", float("nan")), ("temperature", -1),
    ("temperature", True), ("counts", []), ("counts", {"empty": "many"}), ("rows", -1), ("rows", 1.5), ("seed", "0"),
)  # fmt: skip
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
    **{f"{name} {value!r:.20}": (changed(**{name: value}), "is no whole reference") for name, value in WRONG_FACTS},
    **{f"{name} of another shape": (reshaped(name), f"{name} has the shape") for name in ARRAYS},
    **{f"{name} of NaN": (spoilt(name), f"{name} holds NaN") for name in ARRAYS if name != "held_out"},
    "labels of no class": (spoilt("labels", 99), "labels of no class"),
    "nested facts": (written("reference.json", b"[" * 200_000), "nested too deep"),
    "facts of many values": (written("reference.json", b"[" * 4_000_000), "values, and at most"),
    "a header of 2^62 bytes": (written("reference.safetensors", b"\0" * 7 + b"\x40{}"), "is cut off"),
    "a pipe as facts": (piped("reference.json"), "no file but a pipe"),
    "a pipe as arrays": (piped("reference.safetensors"), "no file but a pipe"),
    "a pipe as profile": (piped("profile.bin"), "no file but a pipe"),
    "facts that are a link": (linked("reference.json"), "is a link to outside"),
    "arrays that are a link": (linked("reference.safetensors"), "is a link to outside"),
    "a profile that is a link": (linked("profile.bin"), "is a link to outside"),
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
