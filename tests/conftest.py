"""What all tests share: a random tiny BERT, small enough to be trained within a second."""

import contextlib
import csv
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = 300
USERS_OF_THE_STACK = {
    f"test_{name}"
    for name in ("lost_access", "stack_access", "stack_large_artifact", "stack_metrics", "stack_runs", "stack_ui")
}


def pytest_configure() -> None:
    """SIGTERM stops like Ctrl-C: the fixtures end the servers that they have started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process runs a file, or all the files that share the stack: it and its runs take long to make."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "stack" if Path(file).stem in USERS_OF_THE_STACK else file

    return Scheduling(config, log)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch on one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a model hub has it: BERT of 3 layers, 2 heads and 32 hidden units, random but the same.

    Its WordPiece vocabulary is the packaged sample's most frequent words, and single characters for others.
    """
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-encoder")
    vocabulary = _vocabulary()
    _save_tokenizer(vocabulary, folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database without runs. MLflow takes seconds to make one, so every place gets a copy."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("database")
    with contextlib.chdir(folder):  # artifacts will be kept in mlruns/ of what is the working folder now
        default = MlflowClient(f"sqlite:///{folder / 'empty.db'}").get_experiment("0")
    assert str(folder) in default.artifact_location
    return folder / "empty.db"


def _vocabulary() -> list[str]:
    from newsclf.data.sources.sample import __file__ as room

    with Path(room).with_name("sample.csv").open(encoding="utf-8", newline="") as file:
        text = " ".join(row["text"] for row in csv.DictReader(file)).lower()
    words = [word for word, _ in Counter(re.findall(r"[a-z]{2,}", text)).most_common(WORDS)]
    characters = sorted({character for character in text if not character.isspace()})
    pieces = [f"##{character}" for character in characters if character.isalnum()]
    return [*SPECIAL, *characters, *pieces, *words]


def _save_tokenizer(vocabulary: list[str], folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    ids = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, ids[name]) for name in ("[CLS]", "[SEP]")],
    )
    names = {f"{name[1:-1].lower()}_token": name for name in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
