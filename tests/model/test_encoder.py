"""Our layer-by-layer encoder computes what transformers computes, for every family."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.encoder import FAMILIES, Dropout, Encoder, load
from tests.model.conftest import VOCABULARY, pad_id_of, padded_ids


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_padded_rows_get_the_hidden_states_that_transformers_gives(
    family: str, family_folder: Callable[[str], Path]
) -> None:
    from transformers import AutoModel

    theirs = AutoModel.from_pretrained(family_folder(family), attn_implementation="eager").eval()
    ids, mask = padded_ids(theirs.config.pad_token_id)
    expected = theirs(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    got = load(family_folder(family), 0.1, 0.0).eval()(ids, mask)
    torch.testing.assert_close(got[mask], expected[mask], atol=1e-5, rtol=1e-5)
    unmasked = theirs(input_ids=ids).last_hidden_state
    assert (unmasked - expected)[mask].abs().max() > 1e-2, "the mask must matter for this test to say anything"


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_rows_of_one_length_get_the_hidden_states_that_transformers_gives(
    family: str, family_folder: Callable[[str], Path]
) -> None:
    from transformers import AutoModel

    theirs = AutoModel.from_pretrained(family_folder(family), attn_implementation="eager").eval()
    ids = torch.randint(5, VOCABULARY, (3, 9))
    expected = theirs(input_ids=ids).last_hidden_state
    got = load(family_folder(family), 0.1, 0.0).eval()(ids, None)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_two_halves_make_the_whole(family: str, family_folder: Callable[[str], Path]) -> None:
    encoder = load(family_folder(family), 0.1, 0.0).eval()
    ids, mask = padded_ids(pad_id_of(encoder))
    whole = encoder(ids, mask)
    for split in range(4):
        lower = encoder.run(encoder.embed(ids), mask, 0, split)
        assert torch.equal(encoder.run(lower, mask, split, 3), whole)


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_the_longest_text_is_as_long_as_max_positions_says(family: str, family_folder: Callable[[str], Path]) -> None:
    encoder = load(family_folder(family), 0.0, 0.0).eval()
    longest = torch.full((1, encoder.max_positions), 9)
    assert encoder(longest, None).shape == (1, encoder.max_positions, encoder.hidden_size)
    with pytest.raises((IndexError, RuntimeError)):
        encoder(torch.full((1, encoder.max_positions + 1), 9), None)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_dropout_rates_reach_every_layer(family: str, family_folder: Callable[[str], Path]) -> None:
    encoder = load(family_folder(family), dropout=0.25, attention_dropout=0.5)
    dropouts = {name: part.p for name, part in encoder.named_modules() if isinstance(part, torch.nn.Dropout)}
    assert all(type(encoder.get_submodule(name)) is Dropout for name in dropouts)
    attention = {name: rate for name, rate in dropouts.items() if rate == 0.5}
    assert len(attention) == 3
    assert set(dropouts.values()) == {0.25, 0.5}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_weight_that_is_used_gets_a_gradient(family: str, family_folder: Callable[[str], Path]) -> None:
    encoder = load(family_folder(family), 0.1, 0.1).train()
    ids, mask = padded_ids(pad_id_of(encoder))
    encoder(ids, mask)[mask].square().sum().backward()
    without = [name for name, weight in encoder.named_parameters() if weight.grad is None]
    assert without == []


def test_an_unsupported_family_is_named(tmp_path: Path) -> None:
    from transformers import AlbertConfig, AlbertModel

    config = AlbertConfig(vocab_size=20, embedding_size=8, hidden_size=8, num_attention_heads=1, intermediate_size=8)
    AlbertModel(config).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="'albert'.*supported are bert, roberta"):
        load(tmp_path, 0.0, 0.0)
    with pytest.raises(InputError, match="'albert'"):
        Encoder(AlbertModel(config))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_top_layers_begin_at_random_and_the_rest_as_it_was(tiny_encoder: Path, count: int) -> None:
    before = load(tiny_encoder, 0.0, 0.0)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    after = load(tiny_encoder, 0.0, 0.0)
    after.reinitialise(count)
    assert count or torch.equal(torch.get_rng_state(), state), "without, nothing is drawn"
    old = dict(before.named_parameters())
    for name, weight in after.named_parameters():
        layer = next((number for number in range(3) if f"layer.{number}." in name), -1)
        if layer < 3 - count:
            assert torch.equal(weight, old[name]), name
        elif weight.ndim == 2:
            assert not torch.equal(weight, old[name]), name
            assert float(weight.detach().std()) == pytest.approx(0.1, rel=0.15), "initializer_range"
        else:
            assert weight.tolist() == [1.0 if name.endswith("LayerNorm.weight") else 0.0] * len(weight), name
    assert torch.isfinite(after(torch.tensor([[1, 2, 3]]), None)).all()
