"""What the tests of the model room share: tiny classifiers, a toy task, a logger that remembers."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor

from newsclf.config import TrainConfig
from newsclf.model import encoder
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.datamodule import NewsDataModule
from newsclf.model.encoder import Encoder
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import Fit, fit, seed_everything

CLASSES = ("Sports", "Business")
VOCABULARY = 60
SIZES: dict[str, float] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
    "initializer_range": 0.4,  # strong enough that a wrong mask or position shows
}
NAMES_OF_DISTILBERT = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
}
WORDS = (("team", "season", "final", "win"), ("company", "market", "bank", "shares"))


class Memory(Logger):
    """Metrics as (step, name, value), in the order in which Lightning logs them."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[tuple[int, str, float]] = []

    name = version = "memory"

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        pass

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.logged += [(step or 0, name, float(value)) for name, value in metrics.items()]

    def values(self, name: str) -> list[float]:
        return [value for _, logged, value in self.logged if logged == name]


@pytest.fixture(autouse=True)
def few_threads(one_thread: None) -> None:
    """On matrices this small, threads cost more than they save, the more so on a busy machine."""


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture(scope="session")
def tokenizer(tiny_encoder: Path) -> Tokenizer:
    return Tokenizer(tiny_encoder, 32)


@pytest.fixture
def make_classifier(tiny_encoder: Path) -> Callable[..., Classifier]:
    """A classifier on the tiny encoder; the same call gives the same weights."""

    def make(frozen: int = 0, dropout: float = 0.0, classes: Sequence[str] = CLASSES, seed: int = 0) -> Classifier:
        torch.manual_seed(seed)
        return Classifier(encoder.load(tiny_encoder, dropout, 0.0), classes, dropout, frozen)

    return make


@pytest.fixture(scope="session")
def toy(tokenizer: Tokenizer) -> Callable[..., TokenDataset]:
    """Texts of 3 to 12 words of one of two topics, which a linear model tells apart."""

    def make(rows: int, seed: int = 0, flipped: bool = False) -> TokenDataset:
        random = np.random.default_rng(seed)
        labels = np.arange(rows) % 2
        texts = [" ".join(random.choice(WORDS[label], random.integers(3, 13))) for label in labels]
        return TokenDataset(tokenizer(texts), 1 - labels if flipped else labels, tokenizer.pad_id)

    return make


@pytest.fixture
def run_fit(tmp_path: Path) -> Callable[..., Fit]:
    """`fit` with short options: fp32, no early stopping, batches of 8, checkpoints in a new folder."""

    def run(
        classifier: Classifier,
        train: TokenDataset,
        validation: TokenDataset,
        logger: Logger | bool = False,
        learning_rate: float = 1e-3,
        bf16: bool = False,
        folder: Path | None = None,
        **options: Any,
    ) -> Fit:
        config = TrainConfig(**{"batch_size": 8, "epochs": 2, "patience": 0, "dropout": 0.0, **options})
        seed_everything(config.seed)
        return fit(
            classifier,
            NewsDataModule(config, {"train": train, "validation": validation}),
            config,
            learning_rate=learning_rate,
            bf16=bf16,
            logger=logger,
            folder=folder or Path(tempfile.mkdtemp(dir=tmp_path)),
        )

    return run


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a random encoder of the family, written by transformers."""
    made: dict[str, Path] = {}

    def make(family: str) -> Path:
        from transformers import AutoConfig, AutoModel

        if family not in made:
            sizes = dict(SIZES)
            if family == "distilbert":
                sizes = {NAMES_OF_DISTILBERT.get(name, name): value for name, value in sizes.items()}
            if family == "electra":
                sizes["embedding_size"] = 16  # its embeddings are narrower than its layers
            torch.manual_seed(0)
            made[family] = tmp_path_factory.mktemp(family)
            AutoModel.from_config(AutoConfig.for_model(family, **sizes)).save_pretrained(made[family])
        return made[family]

    return make


def padded_ids(pad_id: int) -> tuple[Tensor, Tensor]:
    """Token ids of four rows of 1 to 11 tokens, and the mask that is True on them."""
    lengths = torch.tensor([11, 1, 7, 4])
    mask = torch.arange(11)[None, :] < lengths[:, None]
    ids = torch.randint(5, VOCABULARY, (4, 11), generator=torch.Generator().manual_seed(1))
    return ids.masked_fill(~mask, pad_id), mask


def pad_id_of(encoder: Encoder) -> int:
    config: Any = encoder.transformer.config
    return int(config.pad_token_id)
