"""Files that anybody may have made: models, encoders, references. What is checked before anything of them is built.

Sizes are read from headers and counted in the text first; the limits stand here, and real models stay far below them.
Every function raises ValueError or OSError with a sentence that names the file.
"""

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

MAX_JSON_BYTES = 64 << 20  # XLM-RoBERTa's tokenizer.json has 17 MB at most
MAX_JSON_VALUES = 3_000_000  # of a file, and so at most about 300 MB in memory
MAX_YAML_BYTES = 1 << 20  # an MLmodel of 10,000 classes
MAX_YAML_VALUES = 50_000  # its parser reads 15,000 a second
MAX_HEADER_BYTES = 8 << 20  # of a safetensors file; xlm-roberta-large has 48 KB
MAX_PARAMETERS = 2_000_000_000  # of all weights files together; xlm-roberta-large has 560 million
MAX_VOCABULARY = 1_000_000  # words of a tokenizer; XLM-V has 901,629, others at most 501,153
MAX_ADDED_TOKENS = 20_000  # each is looked for in every text; real ones have 5 to 1,000
MAX_PROFILE_BYTES = 64 << 20

# What an encoder's tokenizer is read from, besides its configuration.
TOKENIZER_FILES = ("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model")
PATTERN_HOLDERS = ("normalizer", "pre_tokenizer")  # of tokenizer.json: what is searched for in every text
QUOTED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)  # an escaped character, a class of them
REPEATED_GROUP = re.compile(r"\)[*+{]")
ADDED = ("added_tokens_decoder", "additional_special_tokens", "extra_special_tokens")  # of tokenizer_config.json
BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16}  # types of numbers that weights may have


class Stored(NamedTuple):
    """What a safetensors header says of a tensor. dtype: in its words, such as F32."""

    file: Path
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def check_regular(path: Path, most: int | None = None) -> Path:
    """`path`, where it is a file, or a link to one, of at most `most` bytes: a pipe or a device may never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path.name} is no file but {_kind(found.st_mode)}")
    if most is not None and found.st_size > most:
        raise ValueError(f"{path.name} has {found.st_size:,} bytes, and at most {most:,} are read")
    return path


def check_file(path: Path, most: int | None = None) -> Path:
    """The same, where it lies in its own folder: a model must not make anybody's private file a part of itself."""
    check_inside(path, path.parent)
    return check_regular(path, most)


def check_inside(path: Path, folder: Path) -> None:
    """Raises ValueError for a link that leads out of `folder`, but to a blob of the hub's cache that it is part of."""
    try:
        real, root = path.resolve(), folder.resolve()
    except RuntimeError:  # until Python 3.13
        raise ValueError(f"{path.name} is a link that leads in a circle") from None
    allowed = [root, *([root.parent.parent / "blobs"] if root.parent.name == "snapshots" else [])]
    if not any(real.is_relative_to(place) for place in allowed):
        raise ValueError(f"{path.name} is a link to outside of {folder}: put the file itself there")


def load_json(path: Path, most: int = MAX_JSON_BYTES) -> Any:
    """The value in a JSON file, whose size is checked before it is parsed."""
    data = check_file(path, most).read_bytes()
    values = _number(data, b",", b"[", b"{")
    if values > MAX_JSON_VALUES:
        raise ValueError(f"{path.name} holds about {values:,} values, and at most {MAX_JSON_VALUES:,} are read")
    return _parsed(data, path.name)


def load_json_object(path: Path, most: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """The same for a file that must hold an object."""
    value = load_json(path, most)
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} must hold an object, {{...}}")
    return value


def load_yaml_object(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, whose size is checked before it is parsed. No tag makes anything but plain values."""
    data = check_file(path, MAX_YAML_BYTES).read_bytes()
    values = _number(data, b",", b"[", b"{", b"\n")
    if values > MAX_YAML_VALUES:
        raise ValueError(f"{path.name} holds about {values:,} values, and at most {MAX_YAML_VALUES:,} are read")
    try:
        value = yaml.safe_load(data)
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deep") from None
    except (yaml.YAMLError, ValueError) as error:  # the latter of a date that is none
        raise ValueError(f"{path.name} is no YAML of plain values ({error})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} must hold a mapping")
    return value


def tensors(*files: Path) -> dict[str, Stored]:
    """What the headers of safetensors files say, by the tensors' names; nothing of the tensors is read.

    Raises ValueError for a header that is not right, and for files that hold more than MAX_PARAMETERS together.
    """
    found: dict[str, Stored] = {}
    for file in files:
        header, size = _header(file)
        for name, entry in header.items():
            found[name] = _tensor(file, name, entry, size)
    total = sum(tensor.size for tensor in found.values())
    if total > MAX_PARAMETERS:
        raise ValueError(f"{files[0].name} holds {total:,} numbers, and at most {MAX_PARAMETERS:,} are read")
    return found


def check_tokenizer(folder: Path) -> None:
    """Raises ValueError where a tokenizer's files are no files of this folder, have too many words or a bad pattern."""
    added = 0
    for path in sorted({path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)}):
        if path.suffix != ".json":
            check_file(path, MAX_JSON_BYTES)
            words = 0 if path.suffix == ".model" else _lines(path)
        else:
            described = load_json(path)
            described = described if isinstance(described, Mapping) else {}
            for pattern in _patterns([described.get(name) for name in PATTERN_HOLDERS]):
                if REPEATED_GROUP.search(QUOTED.sub("", pattern)):
                    raise ValueError(
                        f"{path.name} has the pattern {pattern!r:.80}, which repeats a group: that may take for ever"
                    )
            words, more = _words(described, path.name)
            added = max(added, more)
        if words > MAX_VOCABULARY:
            raise ValueError(f"{path.name} has {words:,} words, and at most {MAX_VOCABULARY:,} are read")
    if added > MAX_ADDED_TOKENS:
        raise ValueError(f"its tokenizer adds {added:,} tokens, and at most {MAX_ADDED_TOKENS:,} are read")


def _patterns(value: Any) -> Iterator[str]:
    """The regular expressions in a part of tokenizer.json."""
    if isinstance(value, list):
        for part in value:
            yield from _patterns(part)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name == "Regex" and isinstance(part, str):
                yield part
            yield from _patterns(part)


def _words(described: Mapping[str, Any], file: str) -> tuple[int, int]:
    """The words, and the added tokens, that one of a tokenizer's JSON files describes."""
    model = described.get("model")
    vocabulary = model.get("vocab") if isinstance(model, Mapping) else described if file == "vocab.json" else None
    added = described if file == "added_tokens.json" else described.get("added_tokens")
    tokens = [added, *(described.get(name) for name in ADDED)]
    return _length(vocabulary), max(map(_length, tokens))


def _number(data: bytes, *marks: bytes) -> int:
    return sum(map(data.count, marks))


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (Mapping, list)) else 0


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _header(file: Path) -> tuple[dict[str, Any], int]:
    """A safetensors file's header, and how many bytes stand behind it: 8 bytes of its length, JSON, numbers."""
    with check_file(file).open("rb") as opened:
        first = opened.read(8)
        length = int.from_bytes(first, "little")
        rest = os.fstat(opened.fileno()).st_size - 8 - length
        if len(first) < 8 or rest < 0:
            raise ValueError(f"{file.name} is cut off or no safetensors file: its header says {length:,} bytes")
        if length > MAX_HEADER_BYTES:
            raise ValueError(f"{file.name} has a header of {length:,} bytes, and at most {MAX_HEADER_BYTES:,} are read")
        header = _parsed(opened.read(length), f"the header of {file.name}")
    if not isinstance(header, dict):
        raise ValueError(f"the header of {file.name} must hold an object, {{...}}")
    header.pop("__metadata__", None)
    return header, rest


def _tensor(file: Path, name: str, entry: Any, size: int) -> Stored:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(start), int(end)]}:
            tensor = Stored(file, tuple(shape), dtype)
            lengths_right = all(type(length) is int and length >= 0 for length in shape)
            # Of other types, which are not read, safetensors itself checks the size.
            if (
                lengths_right
                and 0 <= start <= end <= size
                and tensor.size * BITS.get(dtype, 0) in (0, 8 * (end - start))
            ):
                return tensor
    raise ValueError(f"{file.name} is cut off or its header is wrong at {name!r:.80}")


def _parsed(data: bytes, what: str) -> Any:
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(f"{what} is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{what} is no JSON ({error})") from None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
