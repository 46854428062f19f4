"""A model folder in which bytes of one file have changed: InputError, or a model that predicts as before.

What is here is a selection that takes seconds; more of them: a larger CASES.
"""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from newsclf.errors import InputError
from newsclf.model.classifier import Classifier
from newsclf.model.fusion import Fusion
from newsclf.model.linear import LinearClassifier
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer

TEXTS = ["goal match team", "the market", ""]
LABELS = np.array([0, 0, 1, 1])
CASES = 40
PIECES = (b"{", b"[", b'"', b"null", b"9" * 30, b"-", b"\xff\xff", b",", b'"a":1,', b"1e999")
VALUES = (b"-1", b"99999999999", b"0", b"null", b'"x"', b"true", b"NaN", b"[]", b"1.5")


def changed(content: bytes, draw: random.Random) -> bytes:
    """`content` with bits flipped, a part lost, repeated, of zeros or of noise, or a number that is another value."""
    data, place = bytearray(content), draw.randrange(len(content))
    length = draw.choice((1, 8, 100))
    match draw.choice(("flip", "cut", "noise", "zero", "repeat", "insert", "value")):
        case "flip":
            for _ in range(draw.choice((1, 3, 20))):
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        case "cut":
            del data[place:]
        case "noise":
            data[place : place + length] = draw.randbytes(len(data[place : place + length]))
        case "zero":
            data[place : place + length] = bytes(len(data[place : place + length]))
        case "repeat":
            data[place:place] = data[place : place + length]
        case "insert":
            data[place:place] = draw.choice(PIECES)
        case "value":
            digits = [at for at, byte in enumerate(data[:5000]) if chr(byte).isdigit()] or [place]
            at = draw.choice(digits)
            data[at : at + 1] = draw.choice(VALUES)
    return bytes(data)


@pytest.fixture
def saved(make_classifier: Callable[..., Classifier], tokenizer: Tokenizer, tmp_path: Path) -> Path:
    classifier = make_classifier()
    linear = LinearClassifier.fit(["goal team", "goal", "market", "market bank"], LABELS, len(classifier.classes))
    (tmp_path / "saved").mkdir()
    TextClassifier(classifier, tokenizer, fusion=Fusion(0.7, 2.5), linear=linear).save(tmp_path / "saved")
    return tmp_path / "saved"


def test_damage_is_seen_or_does_no_harm(saved: Path, tmp_path: Path) -> None:
    expected = TextClassifier.load(saved).predict_proba(TEXTS)
    files = sorted(path.relative_to(saved) for path in saved.rglob("*.*"))
    assert len(files) >= 5
    refused = 0
    for seed in range(CASES):
        draw = random.Random(seed)
        folder, file = tmp_path / "damaged", draw.choice(files)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(saved, folder)
        (folder / file).write_bytes(changed((saved / file).read_bytes(), draw))
        try:
            found = TextClassifier.load(folder).predict_proba(TEXTS)
        except InputError:
            refused += 1
        else:
            assert np.array_equal(found, expected), (seed, file)
    assert refused > CASES / 2


def test_a_file_that_is_not_the_saved_one_is_named(saved: Path) -> None:
    config = saved / "encoder" / "tokenizer_config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(InputError, match="encoder/tokenizer_config.json is not the file that was saved"):
        TextClassifier.load(saved)
