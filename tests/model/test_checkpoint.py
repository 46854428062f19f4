"""Training that was cut off goes on from its latest checkpoint, and ends as if it had not been."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.batches import TokenDataset
from newsclf.model.checkpoint import LATEST, load
from newsclf.model.classifier import Classifier
from newsclf.model.training import Fit
from tests.model.conftest import Memory

RunFit = Callable[..., Fit]
MakeClassifier = Callable[..., Classifier]
Toy = Callable[..., TokenDataset]


class CutOff(Exception):
    """In place of a process that is killed."""


class CuttingLogger(Memory):
    """Cuts training off when a metric has been logged so many times."""

    def __init__(self, name: str, times: int) -> None:
        super().__init__()
        self.metric, self.times = name, times

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        super().log_metrics(metrics, step)
        if len(self.values(self.metric)) == self.times and self.metric in metrics:
            raise CutOff


@pytest.fixture
def train(make_classifier: MakeClassifier, toy: Toy, run_fit: RunFit) -> Callable[..., tuple[Fit, Classifier]]:
    def run(folder: Path, logger: Memory, **options: Any) -> tuple[Fit, Classifier]:
        classifier = make_classifier(1, dropout=0.3)  # dropout draws from the generator
        options = {"epochs": 4, "learning_rate": 3e-3, "batch_size": 4} | options
        return run_fit(classifier, toy(90), toy(32, seed=1), folder=folder, logger=logger, **options), classifier

    return run


# After the first epoch; within the third one; at the last one's end, when validation has been logged.
@pytest.mark.parametrize(("metric", "times"), [("train_loss", 25), ("train_loss", 50), ("val_loss", 4)])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_it_ends_bit_by_bit_as_if_it_had_not_been_cut_off(
    train: Callable[..., tuple[Fit, Classifier]], tmp_path: Path, metric: str, times: int, keep: str
) -> None:
    undisturbed, expected = train(tmp_path / "a", whole := Memory(), keep=keep)
    with pytest.raises(CutOff):
        train(tmp_path / "b", first := CuttingLogger(metric, times), keep=keep)
    done = load(tmp_path / "b")
    assert done is not None
    assert 1 <= done["epochs"] < 4
    resumed, classifier = train(tmp_path / "b", rest := Memory(), keep=keep)
    for name, weight in expected.state_dict().items():
        assert torch.equal(weight, classifier.state_dict()[name]), name
    assert (resumed.epochs, resumed.kept_epoch, resumed.steps) == (4, undisturbed.kept_epoch, undisturbed.steps)
    assert resumed.losses == undisturbed.losses
    assert [val for _, val in resumed.losses] == pytest.approx(whole.values("val_loss"))
    together = {(step, name): value for step, name, value in first.logged + rest.logged}
    assert together == {(step, name): value for step, name, value in whole.logged}


# Other places of the kind (what a step leaves behind it): the callbacks' states, the generators', the optimizer's.
@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize(
    "option",
    [
        {"ema": 0.9},
        {"layer_decay": 0.6, "label_smoothing": 0.1},
        {"sampling": "balanced", "class_weights": {"Sports": 2.0}},
    ],
)
def test_every_way_of_training_goes_on_bit_by_bit(
    train: Callable[..., tuple[Fit, Classifier]], tmp_path: Path, option: dict[str, Any], keep: str
) -> None:
    undisturbed, expected = train(tmp_path / "a", Memory(), keep=keep, **option)
    with pytest.raises(CutOff):
        train(tmp_path / "b", CuttingLogger("train_loss", 50), keep=keep, **option)
    resumed, classifier = train(tmp_path / "b", Memory(), keep=keep, **option)
    for name, weight in expected.state_dict().items():
        assert torch.equal(weight, classifier.state_dict()[name]), name
    assert resumed.losses == undisturbed.losses
    again, same = train(tmp_path / "b", Memory(), keep=keep, **option)
    assert all(torch.equal(a, b) for a, b in zip(classifier.parameters(), same.parameters(), strict=True))
    assert again.losses == undisturbed.losses


def test_what_was_trained_to_its_end_is_not_trained_again(
    train: Callable[..., tuple[Fit, Classifier]], tmp_path: Path
) -> None:
    for keep in ("best", "last"):
        first, classifier = train(tmp_path / keep, Memory(), keep=keep)
        again, same = train(tmp_path / keep, logger := Memory(), keep=keep)
        assert logger.values("train_loss") == []
        assert (again.epochs, again.kept_epoch, again.train_seconds) == (4, first.kept_epoch, first.train_seconds)
        assert all(torch.equal(a, b) for a, b in zip(classifier.parameters(), same.parameters(), strict=True))


def test_a_training_that_was_stopped_early_stays_stopped(
    train: Callable[..., tuple[Fit, Classifier]], tmp_path: Path
) -> None:
    options = {"epochs": 30, "patience": 1, "learning_rate": 0.05}
    first, _ = train(tmp_path, Memory(), **options)
    assert first.epochs < 30
    again, _ = train(tmp_path, logger := Memory(), **options)
    assert (again.epochs, again.kept_epoch, logger.values("val_loss")) == (first.epochs, first.kept_epoch, [])


def test_a_checkpoint_is_whole_or_not_there(train: Callable[..., tuple[Fit, Classifier]], tmp_path: Path) -> None:
    train(tmp_path, Memory())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", LATEST]
    (tmp_path / LATEST).rename(tmp_path / f".{LATEST}.1.unfinished")
    assert load(tmp_path) is None


@pytest.mark.parametrize("spoilt", ["", "PK", "[]", "harm", "other"])
def test_a_checkpoint_that_is_none_is_bad_input(spoilt: str, tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "trace",)

    contents: dict[str, Any] = {"harm": {"epoch": 0, "callbacks": {"Latest": Harm()}}, "other": {"epoch": 0}}
    if spoilt in contents:
        torch.save(contents[spoilt], tmp_path / LATEST)
    else:
        (tmp_path / LATEST).write_text(spoilt)
    with pytest.raises(InputError, match="latest.ckpt is damaged, or holds code, .*: train again, without resume"):
        load(tmp_path)
    assert not (tmp_path / "trace").exists()
