from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from newsclf.errors import InputError
from newsclf.features import tokens
from newsclf.features.text_statistics import text_statistics
from newsclf.features.tokens import TokenCounter
from newsclf.model.weights import find

ODD = [
    "",
    " ",
    "\n\t\r\n",
    "Oil prices rose again on Monday.",
    "  Oil\u00a0prices\u2003rose\tagain \n",
    'U.S. "growth": 3,5%... (don\'t)',
    "ÀÉÎ àéî A\u0301 \u0301 \u0301x ß ſ ŉ İstanbul ΟΔΟΣ Σ",  # noqa: RUF001
    "北京 股市上涨 東京",
    "👨\u200d👩\u200d👧 ☃️ 🇩🇪",
    "zero\u200bwidth soft\u00adhyphen b\u0000nul \ufffdreplaced",
    "a\vb a\fb a\x1cb a\x1db a\x1eb a\x1fb a\x85b a\u2028b a\u2029b a\x7fb a\x1bb",
    "[CLS] [SEP][MASK] a[SEP]b [PAD] [UNK] [unk] ##ing",
    "x" * 101 + " " + "x" * 100 + " " + "y" * 5000,
    "\u1680ogham\u180emongol\u202fnarrow\u205fmath\u3000wide\ufeffbom",
    "the the the The THE",
    "ﬁne ㎏ ① ½ \u037e \u1ffd K\u212a",
    "\ue000private \U000e0001tag \u0378unassigned",
]


@pytest.fixture(scope="module")
def minilm() -> Path:
    return find("minilm").folder


def byte_pairs(folder: Path) -> None:
    """As RoBERTa has it: white space is part of the tokens, nothing is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["</s>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(ODD, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


def words(folder: Path) -> None:
    """Whole words, most of them unknown, cut and filled as a model wants it."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "the": 1, "oil": 2, "[PAD]": 3}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(pad_id=3, pad_token="[PAD]", length=6)
    tokenizer.save(str(folder / "tokenizer.json"))


MAKERS: dict[str, Callable[[Path], None]] = {"byte pairs": byte_pairs, "words": words}


@pytest.fixture(scope="module", params=["minilm", "tiny encoder", *MAKERS])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param in MAKERS:
        folder = tmp_path_factory.mktemp("tokenizer")
        MAKERS[request.param](folder)
        return folder
    found: Path = request.getfixturevalue(request.param.replace(" ", "_"))
    return found


@cache
def tokenizer_of(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def own_ids(folder: Path, text: str) -> list[int]:
    """The tokens that the tokenizer makes of the whole text."""
    ids: list[int] = tokenizer_of(folder).encode(text, add_special_tokens=False).ids
    return ids


def counted(counter: TokenCounter, texts: list[str]) -> list[dict[int, int]]:
    matrix = counter.counts(texts)
    assert matrix.shape == (len(texts), counter.vocabulary_size)
    assert matrix.dtype == np.float32
    return [dict(zip(row.indices.tolist(), row.data.astype(int).tolist(), strict=True)) for row in matrix]


def test_counts_are_those_of_the_tokenizer_itself(encoder):
    counter = TokenCounter(encoder)
    expected = [own_ids(encoder, text) for text in ODD]
    assert counted(counter, ODD) == [Counter(ids) for ids in expected]
    assert counted(counter, ODD[::-1]) == [Counter(ids) for ids in expected[::-1]], "once they are remembered"
    unknown = tokenizer_of(encoder).token_to_id("[UNK]")
    numbers = counter.token_numbers(ODD)
    assert numbers[0].tolist() == [len(ids) for ids in expected]
    assert numbers[1].tolist() == [sum(one == unknown for one in ids) for ids in expected]
    for found, known in zip(counter.numbers_of(counter.counts(ODD)), numbers, strict=True):
        assert found.tolist() == known.tolist()
        assert found.dtype == np.int64


@pytest.mark.parametrize("seed", range(3))
def test_any_text_is_counted_as_the_tokenizer_does(seed, encoder):
    """Characters of all planes and kinds, white space of every kind between them."""
    random = Random(seed)
    white = [*" \t\n\v\f\r\x1c\x1f\x85\xa0\u1680\u2003\u2028\u200b\u3000\ufeff\0", "oil", "##s"]

    def part() -> str:
        if random.random() < 0.3:
            return random.choice(white)
        code = random.randrange(random.choice([0x80, 0x250, 0x3000, 0x10000, 0x110000]))
        return "." if 0xD800 <= code < 0xE000 else chr(code)

    texts = ["".join(part() for _ in range(random.randrange(30))) for _ in range(1000)]
    assert counted(TokenCounter(encoder), texts) == [Counter(own_ids(encoder, text)) for text in texts]


def test_no_text_at_all(encoder):
    counter = TokenCounter(encoder)
    assert counter.counts([]).shape == (0, counter.vocabulary_size)
    assert [part.shape for part in counter.token_numbers([])] == [(0,), (0,)]


def test_a_very_long_text_is_read_to_its_limit(encoder, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_CHARACTERS", 40)
    long = "the oil " * 10
    assert counted(TokenCounter(encoder), [long]) == [Counter(own_ids(encoder, long[:40]))]


def test_a_lone_surrogate_is_one_strange_character(encoder):
    counter = TokenCounter(encoder)
    texts = ["oil \ud83d prices\udfff", "o\ud83dil"]
    known = [own_ids(encoder, text) for text in ("oil \ufffd prices\ufffd", "o\ufffdil")]
    assert counted(counter, texts) == [Counter(ids) for ids in known]
    assert text_statistics(texts, counter)["tokens"].tolist() == [len(ids) for ids in known]


def test_what_is_remembered_is_bounded(encoder, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_REMEMBERED", 50)
    counter = TokenCounter(encoder)
    for begin in range(0, 2000, 20):
        texts = [f"text number{number} of the day" for number in range(begin, begin + 20)]
        assert counted(counter, texts) == [Counter(own_ids(encoder, text)) for text in texts]
        assert len(counter._ids) == len(counter._numbers) <= 50 + 24


def test_whole_texts_are_not_remembered(tmp_path):
    byte_pairs(tmp_path)
    counter = TokenCounter(tmp_path)
    for number in range(20):
        counter.counts([f"text {number}"])
    assert len(counter._ids) == 1


@pytest.mark.parametrize("content", [None, "", "{", '{"model": 3}'])
def test_a_tokenizer_that_cannot_be_read(content, tmp_path):
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match="tokenizer.json cannot be read"):
        TokenCounter(tmp_path)
