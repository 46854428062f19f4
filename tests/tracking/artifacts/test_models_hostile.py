"""A model folder that somebody made to do harm: one line of InputError, or a model that predicts as before.

Each case is a sound folder with one thing changed. It is fetched and loaded as evaluate, promote, profile, monitor, and
retrain do it, in bounded memory, and whatever asks a person is answered with yes. Other places of the kind: encoders
of train (tests/model/test_encoder_files.py), references (tests/drift/test_storage.py), profiles
(tests/profiling/test_profile.py), checkpoints (tests/model/test_checkpoint.py), loaders in the code
(tests/test_loaders.py), tokenizers that break down at a text
(tests/features/test_plain_text.py), the programs as a whole (tests/integration/test_hostile_models.py).
"""

import io
import json
import os
import resource
import shutil
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from newsclf.errors import InputError
from newsclf.model import encoder
from newsclf.model.classifier import Classifier
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.tracking.artifacts.models import fetch

TEXTS = ["goal match team", "the market", ""]
MEMORY = 2 << 30  # bytes that a case may take, on top of what the process has
MLMODEL = """
artifact_path: model
flavors:
  python_function:
    artifacts: {classifier: {path: artifacts/classifier, uri: /elsewhere}}
    code: code
    loader_module: mlflow.pyfunc.loaders.code_model
    model_code_path: pyfunc.py
model_id: m-0123456789abcdef0123456789abcdef
run_id: 0123456789abcdef0123456789abcdef
"""
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def sound(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as train logs it, as far as it is read."""
    folder = tmp_path_factory.mktemp("model")
    classifier = folder / "artifacts" / "classifier"
    classifier.mkdir(parents=True)
    torch.manual_seed(0)
    model = Classifier(encoder.load(tiny_encoder, 0.0, 0.0), ("World", "Sports", "Business"), 0.0)
    TextClassifier(model, Tokenizer(tiny_encoder, 64)).save(classifier)
    about = json.loads((classifier / "classifier.json").read_text())
    del about["sha256"]  # who does harm would set them anew, and models of before have none
    (classifier / "classifier.json").write_text(json.dumps(about))
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "code").mkdir()
    (folder / "code" / "newsclf.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def probabilities(sound: Path) -> np.ndarray:
    return TextClassifier.load(fetch(str(sound)).folder).predict_proba(TEXTS)


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "model"))


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Memory is bounded, what hangs is ended, and every question is answered with yes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" * 9))
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path / "modules"))
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, before[1]))
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(120)
    yield
    signal.alarm(0)
    resource.setrlimit(resource.RLIMIT_AS, before)


def at(name: str, *changes: Callable[[Path], object]) -> Change:
    """The changes made to one file of the classifier's folder."""

    def change(folder: Path) -> None:
        for one in changes:
            one(folder / "artifacts" / "classifier" / name)

    return change


def holds(content: str | bytes) -> Change:
    return lambda file: file.write_bytes(content if isinstance(content, bytes) else content.encode())


def has(**values: Any) -> Change:
    """Some keys of a JSON file."""
    return lambda file: file.write_text(json.dumps(json.loads(file.read_text()) | values))


def cut(share: float) -> Change:
    return lambda file: file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])


def header(**tensors: Any) -> Change:
    """A safetensors file of this header and eight bytes."""
    text = json.dumps(tensors).encode()
    return holds(struct.pack("<Q", len(text)) + text + bytes(8))


def entry(shape: list[Any], start: int = 0, end: int = 8, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def apply(file: Path) -> None:
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file, metadata={"format": "pt"})

    return apply


def filled(name: str, value: float) -> Change:
    return weights(lambda tensors: tensors[name].view(-1)[-1:].fill_(value))


def beside(file: Path, name: str) -> Path:
    """The path `name` beside the model's folder."""
    return next(folder for folder in file.parents if folder.name == "model").parent / name


def huge(file: Path) -> None:
    """The vector of one word, which no other text has."""
    vocabulary = json.loads((file.parent / "tokenizer.json").read_text())["model"]["vocab"]

    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["embeddings.word_embeddings.weight"][vocabulary["the"]] = 3e38

    weights(change)(file)


def linked(file: Path) -> None:
    """In place of the file a link to the same content elsewhere."""
    outside = beside(file, "outside")
    file.rename(outside)
    file.symlink_to(outside)


def piped(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def nested_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def sparse(file: Path) -> None:
    """A weights file of 40 GB that takes no room: true to its header, and of the right kind."""
    text = json.dumps({"embeddings.word_embeddings.weight": entry([10**5, 10**5], 0, 4 * 10**10)}).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(file, 8 + len(text) + 4 * 10**10)


def moved(folder: Path) -> None:
    """In place of the folder a link to the same elsewhere."""
    outside = beside(folder, "outside")
    folder.rename(outside)
    folder.symlink_to(outside)


def own_code(file: Path) -> None:
    """Beside the configuration a module that leaves a trace when it is imported."""
    trace = beside(file, "trace")
    for name in ("configuration_own", "modeling_own", "tokenization_own"):
        (file.parent / f"{name}.py").write_text(f"import pathlib; pathlib.Path({str(trace)!r}).touch()\n")


def own_pickles(folder: Path) -> None:
    """Files that run code where they are unpickled, under every name that some loader looks for."""

    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (folder.parent / "trace",)

    for name in ("python_model.pkl", "artifacts/classifier/head.pkl", "artifacts/classifier/encoder/pytorch_model.bin"):
        torch.save(Harm(), folder / name)


def own_modules(folder: Path) -> None:
    for name in ("newsclf", "sitecustomize", "mlflow"):
        (folder / "code" / f"{name}.py").write_text(
            f"import pathlib; pathlib.Path({str(folder.parent / 'trace')!r}).touch()"
        )


def words(number: int) -> Change:
    def add(file: Path) -> None:
        before, mark, behind = file.read_text().partition('"vocab": {')
        first = len(json.loads(file.read_text())["model"]["vocab"])
        file.write_text(before + mark + "".join(f'"w{word}":{first + word},' for word in range(number)) + behind)

    return add


def added_tokens(number: int) -> Change:
    def add(file: Path) -> None:
        described = json.loads(file.read_text())
        first = len(described["model"]["vocab"])
        one = described["added_tokens"][0]
        described["added_tokens"] += [one | {"id": first + token, "content": f"w{token}"} for token in range(number)]
        file.write_text(json.dumps(described))

    return add


def whole(part: str, **values: Any) -> Change:
    """Another value of one part of tokenizer.json."""
    return lambda file: file.write_text(json.dumps(json.loads(file.read_text()) | {part: values}))


CONFIG, TOKENIZER, WEIGHTS = "encoder/config.json", "encoder/tokenizer.json", "encoder/model.safetensors"
OWN = {name: f"{file}_own.Own" for name, file in (("AutoConfig", "configuration"), ("AutoModel", "modeling"))}
OWN_TOKENIZER = {"AutoTokenizer": ["tokenization_own.Own", "tokenization_own.Own"]}
BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
SAME = ""  # it predicts as before
QUERY = "encoder.layer.1.attention.self.query.weight"

CASES: dict[str, tuple[Change, str]] = {
    # What describes the model for MLflow
    "a loader of its own": (
        lambda folder: (folder / "MLmodel").write_text(MLMODEL.replace("mlflow.pyfunc.loaders.code_model", "own")),
        "its loader is not mlflow",
    ),
    "a python tag": (
        lambda folder: (folder / "MLmodel").write_text(f"{MLMODEL}a: !!python/object/apply:os.mkdir [trace]"),
        "MLmodel is no YAML of plain values",
    ),
    "a YAML bomb": (lambda folder: (folder / "MLmodel").write_text(MLMODEL + BOMB), SAME),
    "a YAML bomb alone": (lambda folder: (folder / "MLmodel").write_text(BOMB), "its loader is not"),
    "nested YAML": (lambda folder: (folder / "MLmodel").write_text("[" * 40_000), "nested too deep"),
    "long YAML": (lambda folder: (folder / "MLmodel").write_text("- a\n" * 200_000), "about 200,000 values"),
    "YAML of 2 MB": (lambda folder: (folder / "MLmodel").write_text("a" * (2 << 20)), "at most 1,048,576 are read"),
    "no YAML": (lambda folder: (folder / "MLmodel").write_bytes(b"\xff\xfe\x00"), "MLmodel is no YAML"),
    "a list as MLmodel": (lambda folder: (folder / "MLmodel").write_text("- run_id"), "must hold a mapping"),
    "a number as run id": (
        lambda folder: (folder / "MLmodel").write_text(MLMODEL.replace("run_id: ", "run_id: 7 #")),
        "must be text",
    ),
    "a pipe as MLmodel": (lambda folder: piped(folder / "MLmodel"), "MLmodel is no file but a pipe"),
    "the classifier is elsewhere": (lambda folder: moved(folder / "artifacts" / "classifier"), "is a link to outside"),
    # Code and pickles
    "modules with side effects": (own_modules, SAME),
    "pickles with side effects": (own_pickles, SAME),
    "auto_map of a known type": (at(CONFIG, has(auto_map=OWN), own_code), SAME),
    "auto_map of an unknown type": (at(CONFIG, has(auto_map=OWN, model_type="own"), own_code), "type 'own'; supported"),
    "auto_map without a type": (at(CONFIG, has(auto_map=OWN, model_type=None), own_code), "type None; supported"),
    "auto_map of the tokenizer": (
        at("encoder/tokenizer_config.json", has(auto_map=OWN_TOKENIZER, tokenizer_class="Own"), own_code),
        "",
    ),
    "a kernel from elsewhere": (at(CONFIG, has(_attn_implementation="own/kernel", attn_implementation="own/k")), SAME),
    "quantization": (at(CONFIG, has(quantization_config={"quant_method": "own"})), SAME),
    "weights under another name": (at(CONFIG, has(transformers_weights="../../outside.bin")), SAME),
    "a tokenizer file elsewhere": (at("encoder/tokenizer_config.json", has(tokenizer_file="/dev/zero")), SAME),
    # The head
    "a header of 2^62 bytes": (at("head.safetensors", holds(struct.pack("<Q", 1 << 62) + b"{}")), "cut off"),
    "a header of 2^64 - 1 bytes": (at("head.safetensors", holds(b"\xff" * 8 + b"{}")), "cut off"),
    "a header longer than any": (
        at("head.safetensors", holds(struct.pack("<Q", 9 << 20) + b" " * (9 << 20))),
        "at most 8,388,608 are read",
    ),
    "a nested header": (
        at("head.safetensors", holds(struct.pack("<Q", 100_000) + b"[" * 100_000)),
        "nested too deep",
    ),
    "a header that is a list": (at("head.safetensors", holds(struct.pack("<Q", 2) + b"[]")), "must hold an object"),
    "a shape of 10^18": (
        at("head.safetensors", header(weight=entry([10**9, 10**9]), bias=entry([2]))),
        "its header is wrong",
    ),
    "a shape that overflows": (at("head.safetensors", header(weight=entry([1 << 32, 1 << 32], 0, 0))), "is wrong"),
    "a negative shape": (at("head.safetensors", header(weight=entry([-1, -2]))), "its header is wrong"),
    "a shape of text": (at("head.safetensors", header(weight=entry(["2"]))), "its header is wrong"),
    "offsets that overlap": (
        at("head.safetensors", header(weight=entry([2], 0, 8), bias=entry([2], 0, 8))),
        "is no whole classifier",
    ),
    "offsets that go back": (at("head.safetensors", header(weight=entry([0], 8, 0))), "its header is wrong"),
    "offsets behind the end": (at("head.safetensors", header(weight=entry([4], 0, 16))), "its header is wrong"),
    "a head of other classes": (at("head.safetensors", weights(lambda head: head.update(bias=torch.ones(4)))), "of 3 "),
    "a head of another width": (
        at("head.safetensors", weights(lambda head: head.update(weight=torch.ones(3, 5)))),
        "is no whole classifier",
    ),
    "a head with more": (
        at("head.safetensors", weights(lambda head: head.update(more=torch.ones(3)))),
        "does not hold",
    ),
    "a head of whole numbers": (
        at("head.safetensors", weights(lambda head: head.update(bias=torch.ones(3, dtype=torch.int64)))),
        "does not hold",
    ),
    "a head of NaN": (at("head.safetensors", filled("weight", float("nan"))), "NaN or infinite"),
    "a head of infinity": (at("head.safetensors", filled("bias", float("inf"))), "NaN or infinite"),
    "an empty head": (at("head.safetensors", cut(0)), "cut off"),
    "half a head": (at("head.safetensors", cut(0.5)), "cut off"),
    "a pipe as head": (at("head.safetensors", piped), "no file but a pipe"),
    "a device as head": (at("head.safetensors", device), "is a link to outside"),
    "a folder as head": (at("head.safetensors", nested_folder), "no file but a folder"),
    # classifier.json
    "classes all equal": (at("classifier.json", has(classes=["a", "a", "a"])), "different names"),
    "classes that are text": (at("classifier.json", has(classes="abc")), "a list of names"),
    "classes that are numbers": (at("classifier.json", has(classes=[1, 2, 3])), "a list of names"),
    "no classes": (at("classifier.json", has(classes=[])), "different names"),
    "one class": (at("classifier.json", has(classes=["a"])), "different names"),
    "an empty class": (at("classifier.json", has(classes=["a", "b", ""])), "a list of names"),
    "too many classes": (at("classifier.json", has(classes=[str(name) for name in range(200_000)])), "2 to 10,000"),
    **{
        f"max_length {length!r:.20}": (at("classifier.json", has(max_length=length)), "max_length")
        for length in ("128", True, None, 1.5, [64], 0, 1, -5, 513, 10**9, 10**400)
    },
    "sums that are a list": (at("classifier.json", has(sha256=[])), "must be the sums by file"),
    "a wrong sum": (at("classifier.json", has(sha256={"head.safetensors": "00"})), "is not the file that was saved"),
    "a sum of a file elsewhere": (at("classifier.json", has(sha256={"/dev/zero": "00"})), "is a link to outside"),
    "a sum of a file above": (at("classifier.json", has(sha256={"../../MLmodel": "00"})), "is a link to outside"),
    "classifier.json is a list": (at("classifier.json", holds("[]")), "must hold an object"),
    "classifier.json is nested": (at("classifier.json", holds("[" * 200_000)), "nested too deep"),
    "classifier.json of many values": (at("classifier.json", holds("[" + "[]," * 5_000_000)), "about 10,000,001"),
    "classifier.json of 70 MB": (at("classifier.json", holds(" " * (70 << 20))), "at most 67,108,864 are read"),
    "classifier.json is binary": (at("classifier.json", holds(b"\x80\x04")), "is no JSON"),
    "classifier.json is a link": (at("classifier.json", linked), "is a link to outside"),
    # The encoder's configuration
    **{
        f"{name} {value!r}"[:60]: (at(CONFIG, has(**{name: value})), "config.json|expected int")
        for name, value in (
            ("vocab_size", 2**31 - 1),
            ("vocab_size", "300"),
            ("vocab_size", -1),
            ("hidden_size", 2**31 - 1),
            ("hidden_size", 33),
            ("hidden_size", 64),
            ("hidden_size", True),
            ("num_hidden_layers", 10_000_000),
            ("num_hidden_layers", 0),
            ("num_attention_heads", 0),
            ("num_attention_heads", 3),
            ("num_attention_heads", 10**30),
            ("intermediate_size", 2**40),
            ("intermediate_size", 65),
            ("max_position_embeddings", 10**12),
            ("type_vocab_size", 10**9),
            ("pad_token_id", 10**6),
            ("pad_token_id", -7),
        )
    },
    "more layers than weights": (at(CONFIG, has(num_hidden_layers=100)), "weights are missing"),
    "a million labels": (at(CONFIG, has(num_labels=10**9, id2label={"0": "a"})), SAME),
    "chunks of nothing": (at(CONFIG, has(chunk_size_feed_forward=7)), SAME),
    "an unknown activation": (at(CONFIG, has(hidden_act="os.system")), "its files cannot be read"),
    "an epsilon of NaN": (at(CONFIG, has(layer_norm_eps=float("nan"))), "its files cannot be read"),
    "an epsilon of text": (at(CONFIG, has(layer_norm_eps="1e-12")), "its files cannot be read"),
    "other positions": (at(CONFIG, has(position_embedding_type="relative_key")), "positions of type relative_key"),
    "a config of nested brackets": (at(CONFIG, holds("[" * 200_000)), "nested too deep"),
    "a config that is a link": (at(CONFIG, linked), "is a link to outside"),
    "a config that is a pipe": (at(CONFIG, piped), "no file but a pipe"),
    # The encoder's weights
    "weights cut in half": (at(WEIGHTS, cut(0.5)), "cut off"),
    "no weights": (at(WEIGHTS, Path.unlink), "its files cannot be read"),
    "a weight of NaN": (at(WEIGHTS, filled(QUERY, float("nan"))), f"{QUERY} hold NaN"),
    "a weight of infinity": (at(WEIGHTS, filled(QUERY, float("-inf"))), f"{QUERY} hold NaN"),
    "a weight that gives NaN for some texts": (at(WEIGHTS, huge), "its weights give no number for text 1"),
    "weights without end": (
        at(WEIGHTS, weights(lambda tensors: [tensor.fill_(3e38) for tensor in tensors.values()])),
        "nothing but NaN comes out",
    ),
    "a weight of another shape": (
        at(WEIGHTS, weights(lambda tensors: tensors.update({QUERY: torch.ones(4, 4)}))),
        r"is F32 of shape \[4, 4\]",
    ),
    "a weight of whole numbers": (
        at(WEIGHTS, weights(lambda tensors: tensors.update({QUERY: torch.ones(32, 32, dtype=torch.int8)}))),
        "is I8 of shape",
    ),
    "a missing weight": (at(WEIGHTS, weights(lambda tensors: tensors.pop(QUERY))), "weights are missing"),
    "a weights file of 40 GB": (at(WEIGHTS, sparse), "at most 2,000,000,000 are read"),
    "weights that are a link": (at(WEIGHTS, linked), "is a link to outside"),
    "weights that are a pipe": (at(WEIGHTS, piped), "cannot be read"),
    "the encoder is elsewhere": (at("encoder", moved), "encoder is a link to outside"),
    # The tokenizer
    "3,000,000 more words": (at(TOKENIZER, words(3_000_000)), "values, and at most 3,000,000 are read"),
    "1,100,000 more words": (at(TOKENIZER, words(1_100_000)), "words, and at most 1,000,000 are read"),
    "more words than weights": (at(TOKENIZER, words(1)), "a token of number"),
    "100,000 added tokens": (at(TOKENIZER, added_tokens(100_000)), "adds 100,005 tokens"),
    "a token of a high number": (
        at(TOKENIZER, lambda file: file.write_text(file.read_text().replace('"[MASK]": 4', '"[MASK]": 4000000000'))),
        "its tokenizer|a token of number",
    ),
    "a frame of strange tokens": (
        at(
            TOKENIZER,
            whole(
                "post_processor",
                type="TemplateProcessing",
                single=[{"SpecialToken": {"id": "[X]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                pair=[{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                special_tokens={"[X]": {"id": "[X]", "ids": [99_999], "tokens": ["[X]"]}},
            ),
        ),
        "a token of number 99999",
    ),
    "padding to 10^9 tokens": (
        at(
            TOKENIZER,
            whole(
                "padding",
                strategy={"Fixed": 10**9},
                direction="Right",
                pad_to_multiple_of=None,
                pad_id=0,
                pad_type_id=0,
                pad_token="[PAD]",
            ),
        ),
        SAME,
    ),
    "nested tokenizer": (at(TOKENIZER, holds("[" * 200_000)), "nested too deep"),
    "a tokenizer of nothing": (at(TOKENIZER, holds("{}")), "its tokenizer cannot be read"),
    **{
        f"a pattern that repeats a group, {pattern}": (
            at(TOKENIZER, whole("pre_tokenizer", type="Split", pattern={"Regex": pattern}, behavior="Isolated")),
            "its tokenizer cannot be read .*which repeats a group",
        )
        for pattern in ("(a+)+$", "(?:a|aa)*b", r"\\(([^)]a){2,}", "[)]+(a)+")
    },
    "such a pattern of its normaliser": (
        at(TOKENIZER, whole("normalizer", type="Replace", pattern={"Regex": "(a*)*b"}, content="")),
        "which repeats a group",
    ),
    "a tokenizer that is a list": (at(TOKENIZER, holds("[]")), "its tokenizer cannot be read"),
    "a regex without end": (
        at(TOKENIZER, whole("normalizer", type="Replace", pattern={"Regex": "((("}, content="")),
        "its tokenizer cannot be read",
    ),
    "a tokenizer that is a link": (at(TOKENIZER, linked), "is a link to outside"),
    "a tokenizer that is a pipe": (at(TOKENIZER, piped), "no file but a pipe"),
    "a configuration of it that is a device": (at("encoder/tokenizer_config.json", device), "is a link to outside"),
    "its special tokens nested": (at("encoder/special_tokens_map.json", holds("[" * 200_000)), "nested too deep"),
    "a vocabulary of 2,000,000 lines": (at("encoder/vocab.txt", holds("a\n" * 2_000_000)), "has 2,000,000 words"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_folder(
    case: str, folder: Path, probabilities: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    change, says = CASES[case]
    change(folder)
    if says == SAME:
        assert np.array_equal(TextClassifier.load(fetch(str(folder)).folder).predict_proba(TEXTS), probabilities)
    else:
        with pytest.raises(InputError, match=says) as error:
            TextClassifier.load(fetch(str(folder)).folder).predict_proba(TEXTS)
        assert len(str(error.value).splitlines()) == 1
        assert len(str(error.value)) < 700
    assert not (folder.parent / "trace").exists(), "its code was run"
    assert not (folder.parent / "modules").exists(), "its code was copied to where it is imported from"
    assert capfd.readouterr() == ("", "")
