"""What a cross-validation refuses, and what it hands on; its runs are in integration/test_cross_validation.py."""

import dataclasses
from pathlib import Path

import pytest

from newsclf.config import TrainConfig
from newsclf.config.options import build
from newsclf.errors import InputError
from newsclf.tuning.cross_validation import check, fold_options


def test_options_of_one_model_alone_are_refused() -> None:
    check(TrainConfig(folds=5))
    with pytest.raises(InputError, match="option register is given: a cross-validation has no model"):
        check(TrainConfig(folds=5, register="news"))
    with pytest.raises(InputError, match="option tracking is offline"):
        check(TrainConfig(folds=5, tracking="offline"))


def test_a_fold_is_trained_with_the_options_of_all_but_for_what_is_the_parents_own() -> None:
    config = TrainConfig(
        folds=5,
        dataset="a.csv",
        class_weights={"x": 2.0},
        epochs=7,
        seed=3,
        id_column="id",
        keep_columns=("desk",),
        output_dir="out",
        resume="0" * 32,
        num_samples=20,
        precision="fp32",
    )
    options = fold_options(config, 2, Path("/tmp/out/fold_2"))
    own = {"fold": 2, "output_dir": "/tmp/out/fold_2", "resume": ""}
    assert build(TrainConfig, options) == dataclasses.replace(config, **own)  # type: ignore[arg-type]
