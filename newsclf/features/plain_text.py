"""Texts as tokenizers take them: the one place where what they cannot read is mended, and where words stay words."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from newsclf.errors import InputError
from newsclf.messages import one_line

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
STRANGE = "\U000f1234"  # of private use
MAX_ROUNDS = 4  # parting a control token may bring out another
FORMAT = 2  # goes up when the same text gives other tokens than before; 1 took control tokens from texts


def readable(text: str) -> str:
    """`text` without what has no bytes in UTF-8: two halves of a character are joined, one alone becomes U+FFFD.

    >>> readable("half \\ud83d, whole \\ud83d\\ude00, whole \\U0001f600") == "half \\ufffd, whole 😀, whole 😀"
    True
    """
    if text.isascii() or LONE_SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@contextlib.contextmanager
def panics_told() -> Iterator[None]:
    """A panic in a tokenizer's Rust code, which Python takes for no Exception, raises InputError.

    Its patterns and tables come with the encoder; anybody may have made them, and a late text may be what shows it.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # pyo3's, which has no module to import it from
            raise
        raise InputError(
            f"the encoder's tokenizer breaks down ({one_line(error, 200)}): take another encoder"
        ) from None


@panics_told()
def token_ids(tokenizer: Any, texts: Sequence[str], add_special_tokens: bool) -> list[list[int]]:
    """The token ids of each text, by a tokenizer of the library `tokenizers`; its truncation and padding hold.

    A control token ("[SEP]", "<s>") that is written in a text is a word like any other: there are no control ids but
    those that the tokenizer puts around a text, where `add_special_tokens` is set.
    Raises InputError where the tokenizer breaks down.
    """
    tokenizer.encode_special_tokens = True
    clean = [readable(text) for text in texts]
    rows: list[list[int]] = [
        encoding.ids for encoding in tokenizer.encode_batch_fast(clean, add_special_tokens=add_special_tokens)
    ]
    control, unknown, written = _control_tokens(tokenizer)
    around = sum(map(tokenizer.encode("", add_special_tokens=add_special_tokens).ids.count, control))
    for place, row in enumerate(rows):
        # Of some vocabularies, such as XLM-RoBERTa's, control tokens are pieces like all others, and found as such.
        if sum(map(row.count, control)) > around or (written and written in clean[place] and unknown in row):
            rows[place] = _ids_of_words(tokenizer, clean[place], control, unknown, written, add_special_tokens)
    return rows


def _control_tokens(tokenizer: Any) -> tuple[list[int], int, str]:
    """(ids of the control tokens but the unknown one, its id, how it is written: -1 and "" without one)."""
    special = {number: token.content for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    if unknown is None:  # not every model says which it is: it is what stands for a character that none has
        found = tokenizer.encode(STRANGE, add_special_tokens=False).ids
        unknown = next((number for number in found if number in special), -1)
    return [number for number in special if number != unknown], unknown, special.get(unknown, "")


def _ids_of_words(
    tokenizer: Any, text: str, control: list[int], unknown: int, written: str, add_special_tokens: bool
) -> list[int]:
    """As `token_ids`, of one text, in which every control token is parted behind its first character."""
    for _ in range(MAX_ROUNDS):
        encoding = tokenizer.encode(text, add_special_tokens=add_special_tokens)
        parts = zip(encoding.ids, encoding.offsets, encoding.special_tokens_mask, strict=True)
        found = [
            (begin, end)
            for number, (begin, end), added in parts
            if not added and (number in control or (number == unknown and text[begin:end].strip() == written))
        ]
        for begin, end in reversed(found):
            begin += len(text[begin:end]) - len(text[begin:end].lstrip())
            text = f"{text[: begin + 1]} {text[begin + 1 :]}" if end - begin > 1 else f"{text[:begin]}{text[end:]}"
        if not found:
            break
    return [
        number
        for number, added in zip(encoding.ids, encoding.special_tokens_mask, strict=True)
        if added or number not in control
    ]
