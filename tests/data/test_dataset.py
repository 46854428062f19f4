import re

import pandas as pd

from newsclf.data import Dataset, fingerprint_texts


def dataset(train=(("one", "a"), ("two", "b")), classes=("a", "b"), **other_splits) -> Dataset:
    splits = {"train": train, "validation": [("three", "a")], "test": [("four", "b")], **other_splits}
    frames = {name: pd.DataFrame(list(rows), columns=["text", "label"]) for name, rows in splits.items()}
    return Dataset("toy", classes, frames, "toy.csv", {}, (), {})


def test_fingerprint_is_a_sha256_and_does_not_change():
    assert dataset().fingerprint == dataset().fingerprint
    assert re.fullmatch("[0-9a-f]{64}", dataset().fingerprint)
    # Held, because a change would cut every run off from the ones before it.
    assert dataset().fingerprint.startswith("8df28b6933572a5e")


def test_fingerprint_tells_data_sets_apart():
    others = [
        dataset(train=[("one", "a"), ("two", "a")]),
        dataset(train=[("two", "b"), ("one", "a")]),
        dataset(train=[("one", "a")]),
        dataset(train=[("onea", ""), ("two", "b")]),
        dataset(train=[("on", "ea"), ("two", "b")]),
        dataset(classes=("b", "a")),
        dataset(validation=[("four", "b")], test=[("three", "a")]),
        dataset(train=[("one", "a"), ("two", "b"), ("three", "a")], validation=[]),
    ]
    prints = {other.fingerprint for other in [dataset(), *others]}
    assert len(prints) == len(others) + 1


def test_fingerprint_ignores_name_source_and_notes():
    frames = dataset().splits
    assert Dataset("x", ("a", "b"), frames, "y", {"n": 1}, ("w",), {"t": "1"}).fingerprint == dataset().fingerprint


def test_texts_do_not_collide_by_concatenation():
    prints = {fingerprint_texts(texts) for texts in (["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], [], [""])}
    assert len(prints) == 6


def test_texts_may_hold_any_character():
    assert fingerprint_texts(["\ud800", "\0", "é"]) != fingerprint_texts(["?", "\0", "é"])
