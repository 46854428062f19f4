"""Texts to token ids, once, as one flat array."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.errors import InputError
from newsclf.features import plain_text
from newsclf.messages import one_line
from newsclf.model.batches import RaggedRows
from newsclf.model.encoder_config import read_config
from newsclf.untrusted import check_tokenizer

# A text is read up to this many characters for each token of max_length, so that a book-long text
# costs no more than a page. Ordinary prose has 4 to 6 characters a token.
CHARACTERS_PER_TOKEN = 50
CHUNK = 2000


class Tokenizer:
    """The encoder's own fast tokenizer with a fixed length limit (special tokens included)."""

    def __init__(self, folder: Path, max_length: int) -> None:
        from transformers import AutoTokenizer

        try:
            check_tokenizer(folder)
            with plain_text.panics_told():
                self.fast: Any = AutoTokenizer.from_pretrained(
                    folder, config=read_config(folder), local_files_only=True, trust_remote_code=False
                )
        except InputError:
            raise
        except Exception as error:
            raise _unreadable(folder, error) from error
        if not getattr(self.fast, "is_fast", False):
            raise InputError(f"encoder {folder}: it has no fast tokenizer (tokenizer.json)")
        files = set(self.fast.vocab_files_names.values())
        if not any(
            (folder / file).is_file() for file in files
        ):  # transformers would make up one of special tokens alone
            raise InputError(f"encoder {folder}: it has no tokenizer file (any of {', '.join(sorted(files))})")
        self.folder, self.max_length = folder, max_length
        self.pad_id: int = self.fast.pad_token_id or 0
        try:
            self(["", "a"])
        except Exception as error:
            raise _unreadable(folder, error) from error

    @property
    def highest_id(self) -> int:
        """Of all tokens that a text can become, those around every text included."""
        return max([*self.fast.get_vocab().values(), *self([""]).values.tolist()])

    @property
    def key(self) -> str:
        """What the ids depend on besides the text: the tokenizer's whole definition, the limit, how texts are read."""
        definition = json.loads(self.fast.backend_tokenizer.to_str())
        definition.pop("padding", None), definition.pop("truncation", None)
        parts = [definition, self.max_length, CHARACTERS_PER_TOKEN, plain_text.FORMAT]
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def __call__(self, texts: Sequence[str]) -> RaggedRows:
        """Token ids of every text, cut to max_length tokens. A control token written in a text is a word of it."""
        limit = self.max_length * CHARACTERS_PER_TOKEN
        backend = self.fast.backend_tokenizer  # transformers sets it anew for each of its own calls
        backend.no_padding()
        backend.enable_truncation(self.max_length, direction=self.fast.truncation_side)
        ids: list[np.ndarray] = []
        lengths: list[int] = []
        for start in range(0, len(texts), CHUNK):
            rows = plain_text.token_ids(backend, [text[:limit] for text in texts[start : start + CHUNK]], True)
            lengths += [len(row) for row in rows]
            ids.append(np.fromiter((token for row in rows for token in row), np.int32))
        flat = np.concatenate(ids) if ids else np.empty(0, np.int32)
        return RaggedRows(flat, np.asarray(lengths, np.int64))

    def save(self, folder: Path) -> None:
        self.fast.save_pretrained(folder)


def _unreadable(folder: Path, error: Exception) -> InputError:
    return InputError(f"encoder {folder}: its tokenizer cannot be read ({one_line(error, 200)})")
