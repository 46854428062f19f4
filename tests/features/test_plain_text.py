"""What a text holds is text: no control token comes from it, and half a character stops nothing.

The kind: something in a text that the tokenizer takes for more, or for less, than a text. Other places of it: the
model's own tokenizer (tests/model/test_tokenizer.py), the token counts of profiles and references (test_tokens.py),
a served model (tests/serving/test_pyfunc.py), rows of tables (tests/data), results (tests/test_files.py).
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from newsclf.errors import InputError, Stopped
from newsclf.features.plain_text import panics_told, readable, token_ids
from newsclf.features.tokens import TokenCounter
from newsclf.model.weights import find

CONTROL = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "[SEP]", "[CLS]", "[PAD]", "[UNK]", "[MASK]", "[ENT]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz<>/[]"


def pieces() -> Tokenizer:
    """As XLM-RoBERTa has it: control tokens are pieces like others, and NFKC makes one of wide letters."""
    vocabulary = [(token, 0.0) for token in CONTROL]
    vocabulary += [("▁", -3.0), *((letter, -4.0) for letter in LETTERS + LETTERS[:26].upper())]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def white_space_words() -> Tokenizer:
    """Whole words between blanks, control tokens among the vocabulary."""
    vocabulary = {token: number for number, token in enumerate([*CONTROL, *LETTERS, "SEP]", "s>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def word_pieces() -> Tokenizer:
    """As BERT has it."""
    names = [*CONTROL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({name: place for place, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def byte_pairs() -> Tokenizer:
    """As RoBERTa has it."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = {name: place for place, name in enumerate([*CONTROL, *letters])}
    tokenizer = Tokenizer(models.BPE(names, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


@pytest.fixture(params=[pieces, white_space_words, word_pieces, byte_pairs], ids=lambda make: make.__name__)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    made: Tokenizer = request.param()
    made.add_special_tokens([token for token in CONTROL if token != "<mask>"])
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    ids = [(name, made.token_to_id(name)) for name in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ids)
    return made


@pytest.mark.parametrize("frame", ["{}", "a {} b", "a{}b", "{}{}", "A {}. {}", " {}\n"])
@pytest.mark.parametrize("control", CONTROL)
def test_a_control_token_in_a_text_is_words(control: str, frame: str, tokenizer: Tokenizer) -> None:
    text = frame.replace("{}", control)
    (inside,), (around,) = (token_ids(tokenizer, [text], add) for add in (False, True))
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    assert around == [start, *inside, end]
    unknown = {tokenizer.token_to_id("<unk>"), tokenizer.token_to_id("[UNK]")}
    own = {tokenizer.token_to_id(token) for token in CONTROL} - unknown
    assert inside, "it is not dropped either"
    assert not own & set(inside), tokenizer.decode(inside, skip_special_tokens=False)


def test_letters_that_become_a_control_token_are_words_as_well() -> None:
    tokenizer = pieces()
    tokenizer.add_special_tokens(CONTROL)
    wide = "a\uff1cs\uff1e"
    assert tokenizer.token_to_id("<s>") in tokenizer.encode(wide).ids
    assert tokenizer.token_to_id("<s>") not in token_ids(tokenizer, [wide], False)[0]


def test_other_texts_have_the_tokens_that_they_had(tokenizer: Tokenizer) -> None:
    texts = ["", " ", "oil prices", "a < b > c", "s>", "[ sep ]", "x" * 300, "日本"]
    tokenizer.enable_truncation(8)
    expected = [tokenizer.encode(text).ids for text in texts]
    assert token_ids(tokenizer, texts, True) == expected


def test_truncation_holds_for_a_text_with_a_control_token(tokenizer: Tokenizer) -> None:
    tokenizer.enable_truncation(8)
    (ids,) = token_ids(tokenizer, ["<s> [SEP] </s> " * 9], True)
    assert len(ids) <= 8
    assert (ids[0], ids[-1]) == (tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>"))


@pytest.mark.parametrize(
    "text", ["\ud83d", "a\udfffb", "\ude00\ud83d", "oil \ud83d prices", "\ud83d" * 70, "a\0\ud83d"]
)
def test_half_a_character_is_one_that_is_unknown(text: str, tokenizer: Tokenizer) -> None:
    clean = readable(text)
    clean.encode()
    assert len(clean) == len(text)
    assert token_ids(tokenizer, [text], True) == token_ids(tokenizer, [clean], True)


def test_two_halves_are_joined_and_the_rest_is_the_same_string() -> None:
    assert readable("\ud83d\ude00!\ud83d") == "\U0001f600!\ufffd"
    for text in ("", "plain", "naïve \U0001f600 \0 \uffff"):
        assert readable(text) is text


@pytest.mark.parametrize("make", [pieces, word_pieces], ids=lambda make: make.__name__)
def test_profiles_and_references_count_words(make: Callable[[], Tokenizer], tmp_path: Path) -> None:
    made = make()
    made.add_special_tokens(CONTROL)
    made.save(str(tmp_path / "tokenizer.json"))
    counter = TokenCounter(tmp_path)
    counts = counter.counts(["a [SEP] b", "<s>", "[MASK][PAD]"]).toarray()
    assert not counts[:, [made.token_to_id(token) for token in CONTROL if "unk" not in token.lower()]].any()
    assert counts.sum(axis=1).min() >= 3


def test_minilm_reads_what_stands_there() -> None:
    tokenizer = Tokenizer.from_file(str(find("minilm").folder / "tokenizer.json"))
    tokenizer.no_padding()
    (ids,) = token_ids(tokenizer, ["[SEP] <s>"], True)
    assert [tokenizer.id_to_token(one) for one in ids] == ["[CLS]", "[", "sep", "]", "<", "s", ">", "[SEP]"]


def test_a_tokenizer_that_breaks_down_at_a_text_is_bad_input(tmp_path: Path) -> None:
    """Its Rust code panics, which Python takes for no Exception; so it does for whoever counts or trains."""
    made = pieces()
    made.pre_tokenizer = pre_tokenizers.Split(Regex("[a-z ]*" * 30 + "$"), "isolated")
    made.save(str(tmp_path / "tokenizer.json"))
    counter = TokenCounter(tmp_path)
    for read in (counter.counts, lambda texts: token_ids(made, texts, True)):
        with pytest.raises(InputError, match=r"the encoder's tokenizer breaks down \(.*retry-limit.*\): take another"):
            read(["the goal of the other team is seen again!"])
    assert token_ids(made, ["#"], False)


def test_no_other_error_is_taken_for_that() -> None:
    for error in (KeyboardInterrupt(), Stopped(15), KeyError("a")):
        with pytest.raises(type(error)), panics_told():
            raise error
