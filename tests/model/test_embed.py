"""Texts by the encoder itself: in their order, whatever batches they are read in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from newsclf.model import batches, embed, encoder
from newsclf.model.embed import EncoderEmbedder
from newsclf.model.tokenizer import Tokenizer

TEXTS = ["the bank", "a team won the final of the season", "", "market shares " * 40, "the bank"]


def test_each_text_is_the_mean_of_its_own_last_states(tiny_encoder: Path) -> None:
    found = EncoderEmbedder(tiny_encoder, precision="fp32")(TEXTS)
    assert (found.shape, found.dtype) == ((5, 32), np.float32)
    loaded = encoder.load(tiny_encoder, 0.0, 0.0).eval()
    for text, row in zip(TEXTS, found, strict=True):
        ids = torch.from_numpy(Tokenizer(tiny_encoder, embed.MAX_LENGTH)([text]).values.astype(np.int64))[None]
        with torch.inference_mode():
            expected = loaded(ids, None)[0].mean(dim=0)
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_batches_make_no_difference(tiny_encoder: Path, monkeypatch) -> None:
    embedder = EncoderEmbedder(tiny_encoder, precision="fp32")
    whole = embedder(TEXTS)
    monkeypatch.setattr(batches, "TOKENS_A_BATCH", 1)
    np.testing.assert_allclose(embedder(TEXTS), whole, atol=1e-5)


def test_bf16_gives_nearly_the_same_points(tiny_encoder: Path) -> None:
    exact, rough = (EncoderEmbedder(tiny_encoder, precision=precision)(TEXTS) for precision in ("fp32", "bf16"))
    assert (rough.dtype, rough.shape) == (np.float32, exact.shape)
    assert not np.array_equal(exact, rough)
    cosines = (exact * rough).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rough, axis=1)
    assert cosines.min() > 0.9999


@pytest.mark.parametrize("fast", [True, False])
def test_its_machine_decides(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: fast)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    expected = EncoderEmbedder(tiny_encoder, precision="bf16" if fast else "fp32")(TEXTS)
    assert np.array_equal(EncoderEmbedder(tiny_encoder)(TEXTS), expected)


def test_no_text(tiny_encoder: Path) -> None:
    assert EncoderEmbedder(tiny_encoder)([]).shape == (0, 32)
