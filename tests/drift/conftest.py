"""What tests of references share: news of which there is no end, and a reference of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from newsclf.drift import Reference, Verdict, fit_reference


def not_judged(verdict: Verdict) -> set[str]:
    return {kind for kind, finding in verdict.kinds.items() if finding.drifted is None}


def known(number: float | None) -> float:
    """A p-value or an effect of a kind that could be judged."""
    assert number is not None
    return number


CLASSES = ("Business", "Sports", "World")
SUBJECTS = {
    "Business": "oil prices shares profit bank market dollar economy trade quarter company deal stocks growth bonds",
    "Sports": "team season coach players victory final league goal champion match race medal tournament injury title",
    "World": "minister talks troops election government peace president border attack police vote party crisis",
    "Foreign": "enzyme protein orbit galaxy neuron quantum fossil virus genome molecule laser telescope crystal plasma",
}
COMMON = "the a of in on for after with said new two week year monday officials people first last will more from over"


@dataclass
class News:
    """Made-up news of the classes in SUBJECTS: words drawn by chance, of which some tell the class."""

    random: np.random.Generator

    def text(self, subject: str) -> str:
        own, common = SUBJECTS[subject].split(), COMMON.split()
        length = int(self.random.integers(12, 40))
        words = self.random.choice(common, length).astype(object)
        telling = self.random.random(length) < 0.3
        words[telling] = self.random.choice(own, telling.sum())
        return " ".join(words).capitalize() + "."

    def rows(self, count: int, shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)) -> tuple[list[str], list[str]]:
        labels = self.random.choice(CLASSES, count, p=shares).tolist()
        return [self.text(label) for label in labels], labels

    def texts(self, count: int) -> list[str]:
        return self.rows(count)[0]


@pytest.fixture
def news() -> News:
    return News(np.random.default_rng(12345))


@pytest.fixture(scope="session")
def reference_rows() -> tuple[list[str], list[str]]:
    return News(np.random.default_rng(1)).rows(1000)


@pytest.fixture(scope="session")
def reference(reference_rows: tuple[list[str], list[str]]) -> Reference:
    """Of 1,000 texts with labels. Nobody changes it."""
    return fit_reference(*reference_rows)


def foreign(news, texts, labels):
    return [news.text("Foreign") if row < 24 else text for row, text in enumerate(texts)], None


def relabelled(news, texts, labels):
    return texts, [*news.random.choice(CLASSES, 120).tolist(), *labels[120:]]


class Keywords:
    """A predictor from outside: it counts the words that tell a class. `calls` are the texts that it was given."""

    def __init__(self, name: str = "runs:/keywords/model", sure: float = 1.0) -> None:
        self.name, self.classes, self.sure = name, CLASSES, sure
        self.calls: list[list[str]] = []

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        assert len(texts), "nobody asks for nothing"
        self.calls.append(list(texts))
        words = [set(text.lower().strip(".").split()) for text in texts]
        found = np.array([[len(have & set(SUBJECTS[name].split())) for name in CLASSES] for have in words])
        likely = np.exp(self.sure * found)
        return likely / likely.sum(axis=1, keepdims=True)
