"""What is checked of files that anybody may have made; hostile models as a whole: tracking/artifacts/."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from newsclf import untrusted
from newsclf.untrusted import check_file, check_tokenizer, load_json, load_json_object, load_yaml_object, tensors


def test_a_file_of_the_folder_is_read_and_so_is_a_link_to_one(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").symlink_to("a.json")
    assert load_json(tmp_path / "a.json") == load_json(tmp_path / "b.json") == [1]


def test_a_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert load_json_object(tmp_path / "link" / "a.json") == {}


def test_the_hubs_cache_is_made_of_links(tmp_path: Path) -> None:
    """models--owner--name/snapshots/<revision>/config.json leads to models--owner--name/blobs/<sum>."""
    (snapshot := tmp_path / "models--a--b" / "snapshots" / "0123").mkdir(parents=True)
    (blob := tmp_path / "models--a--b" / "blobs" / "4567").parent.mkdir()
    blob.write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/4567")
    assert load_json_object(snapshot / "config.json") == {}
    (tmp_path / "other").write_text("{}")
    (snapshot / "own.json").symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match="own.json is a link to outside"):
        check_file(snapshot / "own.json")
    blob.unlink()
    blob.symlink_to(tmp_path / "other")
    with pytest.raises(ValueError, match="config.json is a link to outside"):
        check_file(snapshot / "config.json")


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises((OSError, ValueError), match="leads in a circle|Too many levels"):
        check_file(tmp_path / "a")


def test_a_device_is_no_file() -> None:
    with pytest.raises(ValueError, match="null is no file but a device"):
        untrusted.check_regular(Path("/dev/null"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 100_000, "nested too deep"),
        ("9" * 5000, "is no JSON"),
        ("[" + "[]," * 1_500_000 + "0]", "values, and at most 3,000,000 are read"),
        ("[]", "must hold an object"),
    ],
    ids=lambda text: text[:20],
)
def test_json_that_is_not_read(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=says):
        load_json_object(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a: [", "is no YAML"),
        ("[" * 3000, "nested too deep"),
        ("!!python/name:os.system a", "no YAML of plain values"),
        ("a: !own b", "no YAML of plain values"),
        ("- a", "must hold a mapping"),
        ("a: 2026-99-99", "MLmodel"),
        ("x\n" * 60_000, "about 60,000 values"),
    ],
    ids=lambda text: text[:20],
)
def test_yaml_that_is_not_read(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(ValueError, match=says):
        load_yaml_object(tmp_path / "MLmodel")


def test_headers_say_what_the_files_hold(tmp_path: Path) -> None:
    save_file({"a": np.ones((2, 3), np.float32)}, tmp_path / "1.safetensors", metadata={"format": "np"})
    save_file({"b": np.ones(0, np.float16), "c": np.ones((), np.int64)}, tmp_path / "2.safetensors")
    found = tensors(tmp_path / "1.safetensors", tmp_path / "2.safetensors")
    assert {name: (stored.file.name, stored.shape, stored.dtype, stored.size) for name, stored in found.items()} == {
        "a": ("1.safetensors", (2, 3), "F32", 6),
        "b": ("2.safetensors", (0,), "F16", 0),
        "c": ("2.safetensors", (), "I64", 1),
    }


def test_the_sum_of_all_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / "1.safetensors", tmp_path / "2.safetensors"]
    for number, file in enumerate(files):
        save_file({str(number): np.ones(60, np.float32)}, file)
    monkeypatch.setattr(untrusted, "MAX_PARAMETERS", 100)
    assert len(tensors(files[0])) == 1
    with pytest.raises(ValueError, match="holds 120 numbers, and at most 100 are read"):
        tensors(*files)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {},
        {"dtype": "F32", "shape": [1], "data_offsets": [0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, "4"]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]},
        {"dtype": 32, "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},
        {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
    ],
    ids=str,
)
def test_a_wrong_entry_of_a_header(entry: Any, tmp_path: Path) -> None:
    text = json.dumps({"a": entry}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(ValueError, match="its header is wrong at 'a'"):
        tensors(tmp_path / "a.safetensors")


def write(folder: Path, name: str, values: Any) -> None:
    (folder / name).write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("tokenizer.json", "added_tokens"),
        ("tokenizer_config.json", "added_tokens_decoder"),
        ("tokenizer_config.json", "additional_special_tokens"),
        ("tokenizer_config.json", "extra_special_tokens"),
        ("special_tokens_map.json", "additional_special_tokens"),
        ("added_tokens.json", ""),
    ],
)
def test_added_tokens_are_counted_wherever_they_stand(
    file: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = {str(number): number for number in range(7)}
    write(tmp_path, file, {key: tokens} if key else tokens)
    check_tokenizer(tmp_path)
    monkeypatch.setattr(untrusted, "MAX_ADDED_TOKENS", 6)
    with pytest.raises(ValueError, match="adds 7 tokens, and at most 6 are read"):
        check_tokenizer(tmp_path)


@pytest.mark.parametrize("file", ["tokenizer.json", "vocab.json", "vocab.txt", "merges.txt"])
def test_words_are_counted_wherever_they_stand(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = {f"w{number}": number for number in range(7)}
    contents = {
        "tokenizer.json": json.dumps({"model": {"vocab": vocabulary}}),
        "vocab.json": json.dumps(vocabulary),
    }
    (tmp_path / file).write_text(contents.get(file, "w\n" * 7))
    check_tokenizer(tmp_path)
    monkeypatch.setattr(untrusted, "MAX_VOCABULARY", 6)
    with pytest.raises(ValueError, match=f"{file} has 7 words, and at most 6 are read"):
        check_tokenizer(tmp_path)


def test_patterns_of_real_tokenizers_are_read(tmp_path: Path) -> None:
    """Of XLM-RoBERTa and of the GPTs, and brackets that are no group: escaped, or in a class."""
    patterns = [
        " {2,}",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"\)+|[()]+|[])*]+|[^])*]+|[\])]+",
    ]
    parts = [{"type": "Split", "pattern": {"Regex": pattern}} for pattern in patterns]
    described = {"normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": parts}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    check_tokenizer(tmp_path)
