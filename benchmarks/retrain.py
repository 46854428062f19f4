"""Accuracy over drifting streams: never retrained, retrained as `retrain` decides, retrained after every batch.

The policy, the mix of rows, the reference, its verdicts and the gate are those of the verbs. The encoder is frozen and
every text is read once, so that a training is one of the head alone. A batch is answered before its labels are known.
Recovered is the loop's gain in accuracy over no retraining, as a share of the gain of the oracle, which begins to
retrain with the first changed batch, puts every model in charge, and is retrained on the rows that the loop would take.
"""

import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.retrain_worlds import CALM, World, worlds
from benchmarks.tables import show
from newsclf.config import PromoteConfig, RetrainConfig, TrainConfig
from newsclf.drift import Reference, fit_reference
from newsclf.evaluation.gate import Limits, Measured, run_gate
from newsclf.model import encoder
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.embed import EncoderEmbedder
from newsclf.model.training import fit, seed_everything
from newsclf.model.weights import find
from newsclf.retraining.margins import margins_for
from newsclf.retraining.policy import TEST, TRAIN, JudgedBatch, LastAttempt, Rules, attempted, plan
from newsclf.retraining.training_rows import MixOptions, TrainingRows, make_rows, usable, with_later

CONFIG = RetrainConfig(stream="")
HEAD = TrainConfig(trainable_layers=0, epochs=10, learning_rate=5e-3, batch_size=64)
LEAST_GAIN = 0.005  # of accuracy; an oracle that gains less shows that there is nothing to recover
RECOVERED, RETRAININGS = 0.9, 0.25


class Vectors:
    """Pooled vectors of texts, each computed once."""

    def __init__(self) -> None:
        self.embedder, self.known = EncoderEmbedder(find("minilm").folder), dict[str, np.ndarray]()

    def read(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known |= dict(zip(new, self.embedder(new).astype(np.float16), strict=True))

    def table(self, texts: Sequence[str]) -> RaggedRows:
        self.read(texts)
        return RaggedRows(np.stack([self.known[text] for text in texts]), np.ones(len(texts), np.int64), pooled=True)


@dataclass
class Model:
    """A trained head, as the drift room knows predictors."""

    vectors: Vectors
    classifier: Classifier
    name: str = "head"
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.classes = self.classifier.classes

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        return self.classifier.probabilities(TokenDataset(self.vectors.table(texts)))

    def right(self, rows: pd.DataFrame) -> np.ndarray:
        predicted = np.asarray(self.classes, dtype=object)[self.predict_proba(rows["text"].tolist()).argmax(axis=1)]
        return predicted == rows["label"].to_numpy(object)


def train(vectors: Vectors, rows: pd.DataFrame) -> Model:
    """As the verb does with trainable_layers=0. rows: text, label and, if they have any, weight."""
    seed_everything(HEAD.seed)
    classes = tuple(sorted(set(rows["label"])))
    loaded = encoder.load(find("minilm").folder, HEAD.dropout, 0.0)
    classifier = Classifier(loaded, classes, HEAD.dropout, len(loaded.layers))
    held = np.random.default_rng(HEAD.seed).random(len(rows)) < HEAD.val_fraction
    parts = []
    for part in (rows[~held], rows[held]):
        labels = part["label"].map({name: place for place, name in enumerate(classes)}).to_numpy(np.int64)
        weights = part["weight"].to_numpy(np.int64) if "weight" in part else None
        parts.append(TokenDataset(vectors.table(part["text"].tolist()), labels, weights=weights))
    assert HEAD.learning_rate is not None
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        fit(
            classifier, NewsDataModule(HEAD, {"train": parts[0], "validation": parts[1]}), HEAD,
            learning_rate=HEAD.learning_rate, bf16=False, logger=False, folder=Path(folder),
        )  # fmt: skip
    return Model(vectors, classifier.eval())


@dataclass
class Champion:
    """A model, the rows it was trained on, the tests it must not become worse at, and what is normal to it."""

    model: Model
    train: pd.DataFrame
    tests: pd.DataFrame
    reference: Reference
    earlier: LastAttempt = field(default_factory=LastAttempt)


def crown(model: Model, rows: pd.DataFrame, tests: pd.DataFrame, newest: pd.DataFrame) -> Champion:
    """newest: the test rows, which tell what is normal."""
    texts, labels = rows["text"].tolist(), rows["label"].tolist()
    held_out = (newest["text"].tolist(), newest["label"].tolist())
    return Champion(model, rows[["text", "label"]], tests, fit_reference(texts, labels, model, 0, held_out=held_out))


@dataclass
class Course:
    """What became of a stream. right: whether each row was answered rightly; worse: promoted models that were worse."""

    right: list[np.ndarray] = field(default_factory=list)
    retrainings: int = 0
    promotions: int = 0
    worse: int = 0

    @property
    def accuracy(self) -> float:
        return float(np.concatenate(self.right).mean())


@dataclass
class Candidate:
    """A model that was refused. test: what it was tested by at last; holds: see Attempt."""

    model: Model
    rows: TrainingRows
    test: pd.DataFrame
    holds: bool


def loop(world: World, first: Champion) -> Course:
    """The stream as `retrain` after every batch would have it."""
    champion, course = dataclasses.replace(first), Course()
    watched: list[JudgedBatch] = []
    rules, mix = Rules.of(CONFIG), MixOptions.of(CONFIG)
    refused: Candidate | None = None
    for number, batch in enumerate(world.batches):
        course.right.append(champion.model.right(batch))
        verdict = champion.reference.judge(batch["text"].tolist(), batch["label"].tolist(), CONFIG.alpha).as_dict()
        watched.append(JudgedBatch(str(number), verdict, len(usable(batch))))
        for _ in range(2):
            wish = plan(watched, champion.earlier, rules)
            chosen = [world.batches[place] for place in wish.batches]
            if wish.action == TRAIN:
                course.retrainings += 1
                holds = wish.kind != "concept"
                rows = make_rows(champion.train, champion.tests, chosen, mix, replay=holds)
                candidate = Candidate(train(champion.model.vectors, rows.train), rows, rows.test, holds)
            elif wish.action == TEST and refused:
                test = with_later(refused.rows.test, refused.rows.train, chosen)
                candidate = dataclasses.replace(refused, test=test)
            else:
                break
            promoted = passes(candidate.model, champion, candidate.test, candidate.holds)
            earlier = attempted(watched, wish, promoted, champion.earlier)
            if promoted:
                course.promotions += 1
                if number < world.begin:
                    course.worse += int(
                        candidate.model.right(world.spare).mean() < champion.model.right(world.spare).mean()
                    )
                test = candidate.rows.test
                tests = usable(pd.concat([champion.tests, test])) if candidate.holds else test
                champion, refused = crown(candidate.model, candidate.rows.train, tests, test), None
            else:
                refused = candidate
            champion.earlier = earlier
            if promoted or wish.action == TRAIN:
                break
    return course


def passes(model: Model, champion: Champion, newest: pd.DataFrame, holds: bool) -> bool:
    """The gate as the verb has it, with its defaults; the two models are equally fast."""
    defaults = PromoteConfig()
    tests = [("old", champion.tests), ("new", newest)] if holds else [("old", newest)]
    limits = Limits(**{one.name: getattr(defaults, one.name) for one in dataclasses.fields(Limits)})
    chance = margins_for(
        limits.accuracy_margin, limits.recall_margin, limits.calibration_limit, [rows for _, rows in tests]
    )
    limits = dataclasses.replace(limits, **chance)
    measured = [_measured(name, rows, model, champion.model) for name, rows in tests]
    new = measured[1] if holds else None
    return run_gate(measured[0], new, (1.0, 1.0), limits, defaults.bootstrap_samples, defaults.seed).promote


def _measured(name: str, rows: pd.DataFrame, challenger: Model, champion: Model) -> Measured:
    classes = tuple(dict.fromkeys([*challenger.classes, *champion.classes]))
    place = {label: number for number, label in enumerate(classes)}
    sides = []
    for model in (challenger, champion):
        probabilities = np.zeros((len(rows), len(classes)))
        probabilities[:, [place[label] for label in model.classes]] = model.predict_proba(rows["text"].tolist())
        sides.append(probabilities)
    labels = np.array([place[label] for label in rows["label"]])
    return Measured(name, labels, classes, sides[0], sides[1])


def never(world: World, first: Champion) -> Course:
    return Course([first.model.right(batch) for batch in world.batches])


def oracle(world: World, first: Champion) -> Course:
    """A new model after every changed batch, of the rows that the loop would take, all of them."""
    model, course = first.model, Course()
    everything = dataclasses.replace(MixOptions.of(CONFIG), test_share=0.0)
    for number, batch in enumerate(world.batches):
        course.right.append(model.right(batch))
        if number < world.begin:
            continue
        chosen = world.batches[max(world.begin, number + 1 - CONFIG.window) : number + 1]
        rows = make_rows(first.train, first.tests, chosen, everything, replay=world.old_rows_hold)
        model = train(model.vectors, rows.train)
        course.retrainings += 1
    return course


def line(world: World, vectors: Vectors) -> list[str]:
    """The stream's line of the table."""
    vectors.read([text for part in (world.train, world.test, *world.batches) for text in part["text"]])
    first = crown(train(vectors, world.train), world.train, usable(world.test), world.test)
    ours, base = loop(world, first), never(world, first)
    if world.begin >= len(world.batches):
        vectors.read(world.spare["text"].tolist())
        return [
            world.name, f"{base.accuracy:.4f}", f"{ours.accuracy:.4f}", "-", "-",
            f"{ours.retrainings} (<= 1 in {CALM} batches)", f"{ours.promotions}, worse {ours.worse} (0)",
        ]  # fmt: skip
    best = oracle(world, first)
    gain, possible = ours.accuracy - base.accuracy, best.accuracy - base.accuracy
    recovered = f"{gain / possible:.0%} (>= {RECOVERED:.0%})" if possible >= LEAST_GAIN else "nothing to recover"
    retrainings = f"{ours.retrainings} of {best.retrainings} (<= {RETRAININGS:.0%})"
    return [
        world.name, f"{base.accuracy:.4f}", f"{ours.accuracy:.4f}", f"{best.accuracy:.4f}", recovered, retrainings,
        str(ours.promotions),
    ]  # fmt: skip


def main(data_dir: Path, repeats: int, only: str = "") -> None:
    vectors, lines = Vectors(), []
    for world in worlds(data_dir, repeats, only):
        lines.append(line(world, vectors))
        print(lines[-1], flush=True)
    show(
        "Accuracy over streams: never retrained, by the loop, by an oracle after every batch (targets in brackets)",
        ["stream", "never", "loop", "oracle", "recovered", "retrainings", "promoted"],
        lines,
    )
