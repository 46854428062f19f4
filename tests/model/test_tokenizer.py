"""Token ids are the fast tokenizer's own, kept as one flat array."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from newsclf.errors import InputError
from newsclf.model.tokenizer import CHARACTERS_PER_TOKEN, CHUNK, Tokenizer

TEXTS = ["Shares fell.", "", "The president of Südtirol, née Unknown, met 日本 on Sunday; " * 9, "ok"]


def rows(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    table = tokenizer(texts)
    starts = table.starts()
    return [table.values[starts[row] : starts[row + 1]].tolist() for row in range(len(table))]


@pytest.mark.parametrize("max_length", [8, 33, 512])
def test_ids_are_those_of_the_fast_tokenizers_own_call(tiny_encoder: Path, max_length: int) -> None:
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(tiny_encoder)
    expected = [own(text, truncation=True, max_length=max_length)["input_ids"] for text in TEXTS]
    assert rows(Tokenizer(tiny_encoder, max_length), TEXTS) == expected
    assert max(map(len, expected)) <= max_length


def test_words_of_the_vocabulary_are_one_token_each(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 16)
    (ids,) = rows(tokenizer, ["the year after"])
    assert tokenizer.fast.convert_ids_to_tokens(ids) == ["[CLS]", "the", "year", "after", "[SEP]"]


def test_chunks_leave_no_seam(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 8)
    texts = [f"the {number}" for number in range(CHUNK + 3)]
    assert rows(tokenizer, texts)[CHUNK - 1 :] == rows(tokenizer, texts[CHUNK - 1 :])


def test_no_texts_give_an_empty_table(tiny_encoder: Path) -> None:
    table = Tokenizer(tiny_encoder, 8)([])
    assert (len(table), table.tokens, table.values.dtype, table.lengths.dtype) == (0, 0, np.int32, np.int64)


def test_a_book_long_text_is_read_no_further_than_needed(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 8)
    page = "the " * (8 * CHARACTERS_PER_TOKEN // 4)
    assert rows(tokenizer, [page + "x" * 20_000_000]) == rows(tokenizer, [page])


def test_the_key_depends_on_the_length_limit_and_the_vocabulary(tiny_encoder: Path, tmp_path: Path) -> None:
    key = Tokenizer(tiny_encoder, 64).key
    assert key != Tokenizer(tiny_encoder, 65).key
    other = Tokenizer(tiny_encoder, 64)
    other.fast.add_tokens(["zyzzyva"])
    assert key != other.key
    other.save(tmp_path)
    shutil.copy(tiny_encoder / "config.json", tmp_path)
    assert Tokenizer(tmp_path, 64).key == other.key


def test_use_does_not_change_the_key(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 64)
    before = tokenizer.key
    tokenizer(TEXTS)
    tokenizer.fast(TEXTS, padding=True)
    assert tokenizer.key == before == Tokenizer(tiny_encoder, 64).key


def test_a_saved_tokenizer_gives_the_same_ids(tiny_encoder: Path, tmp_path: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 20)
    tokenizer.save(tmp_path)
    shutil.copy(tiny_encoder / "config.json", tmp_path)
    assert rows(Tokenizer(tmp_path, 20), TEXTS) == rows(tokenizer, TEXTS)


def test_a_folder_without_a_tokenizer_is_bad_input(tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((tiny_encoder / "config.json").read_bytes())
    with pytest.raises(InputError, match="tokenizer"):
        Tokenizer(tmp_path, 20)


def test_a_broken_tokenizer_is_bad_input(tiny_encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((tiny_encoder / "config.json").read_bytes())
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0", ')
    with pytest.raises(InputError, match="its tokenizer cannot be read"):
        Tokenizer(tmp_path, 20)


def test_a_control_token_in_a_text_is_words_of_it(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 32)
    (ids,) = rows(tokenizer, ["the [SEP] [MASK] year [PAD] [CLS]"])
    names = tokenizer.fast.convert_ids_to_tokens(ids)
    assert (names[0], names[-1]) == ("[CLS]", "[SEP]")
    assert not {"[CLS]", "[SEP]", "[MASK]", "[PAD]"} & set(names[1:-1])
    tokenizer.fast(["[SEP]"], padding=True)  # transformers sets the library's tokenizer for each call of its own
    assert rows(tokenizer, ["the [SEP] [MASK] year [PAD] [CLS]"]) == [ids]


def test_half_a_character_stops_nothing(tiny_encoder: Path) -> None:
    tokenizer = Tokenizer(tiny_encoder, 32)
    assert rows(tokenizer, ["the \ud83d year", "the year"]) == rows(tokenizer, ["the \ufffd year", "the year"])


def test_the_key_depends_on_how_texts_are_read(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Tokenizer(tiny_encoder, 32).key
    monkeypatch.setattr("newsclf.features.plain_text.FORMAT", 1)
    assert Tokenizer(tiny_encoder, 32).key != before
