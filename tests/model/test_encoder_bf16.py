"""bf16 is in the matrix products and between the layers; weights that are trained and saved, norms and pooling are not.

Emulated where the processor has no such instructions. Other places of the kind: test_prefix.py (the frozen pass),
test_embed.py, test_text_classifier.py (evaluate, promote, serving, the predictor of a reference).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from newsclf.model.batches import TokenBatch, TokenDataset
from newsclf.model.classifier import Classifier, mean_pool
from newsclf.model.encoder import FAMILIES, in_bf16, load
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.training import Fit
from tests.model.conftest import pad_id_of, padded_ids


def autocast() -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_in_bf16_give_what_autocast_gives(family: str, family_folder: Callable[[str], Path]) -> None:
    encoder = load(family_folder(family), 0.0, 0.0).eval()
    ids, mask = padded_ids(pad_id_of(encoder))
    before = {name: weight.clone() for name, weight in encoder.named_parameters()}
    lowered = in_bf16(encoder)
    with torch.inference_mode():
        exact = encoder(ids, mask)[mask]
        with autocast():
            cast, held = encoder(ids, mask)[mask], lowered(ids, mask)[mask]
    assert torch.equal(cast, held)
    assert torch.cosine_similarity(held.float(), exact, dim=-1).min() > 0.999
    assert not torch.equal(held.float(), exact)
    assert all(torch.equal(weight, before[name]) for name, weight in encoder.named_parameters())
    assert {weight.dtype for weight in encoder.parameters()} == {torch.float32}


def test_what_is_no_matrix_is_shared_and_stays_in_float32(make_classifier: Callable[..., Classifier]) -> None:
    classifier = make_classifier(frozen=1)
    lowered = in_bf16(classifier)
    types = {name: weight.dtype for name, weight in lowered.named_parameters()}
    in_layers = {name for name, dtype in types.items() if dtype == torch.bfloat16}
    assert in_layers == {name for name in types if ".layer." in name and "LayerNorm" not in name}
    mine = dict(classifier.named_parameters())
    shared = {name for name, weight in lowered.named_parameters() if weight is mine[name]}
    assert shared == types.keys() - in_layers
    assert all(weight.requires_grad for name, weight in mine.items() if "head" in name), "training goes on as it was"


def test_no_layer_casts_what_the_one_before_has_put_out(make_classifier: Callable[..., Classifier]) -> None:
    classifier, entered = make_classifier().train(), list[torch.dtype]()
    for layer in classifier.encoder.layers:
        layer.register_forward_pre_hook(lambda _, given: entered.append(given[0].dtype))
    ids = torch.randint(5, 50, (2, 6))
    with autocast():
        states = classifier.encoder(ids, None)
        assert classifier(TokenBatch(ids, None, None, pooled=False)).dtype == torch.float32
    assert entered == [torch.bfloat16] * 6
    assert states.dtype == torch.bfloat16
    assert mean_pool(states, None).dtype == mean_pool(states, torch.ones(2, 6) > 0).dtype == torch.float32
    with autocast():
        assert torch.equal(mean_pool(states, None), states.float().mean(dim=1))
    states.float().sum().backward()
    assert {weight.grad.dtype for weight in classifier.parameters() if weight.grad is not None} == {torch.float32}


def test_what_was_trained_under_bf16_is_saved_in_float32(
    make_classifier: Callable[..., Classifier],
    run_fit: Callable[..., Fit],
    toy: Callable[..., TokenDataset],
    tokenizer: Tokenizer,
    tmp_path: Path,
) -> None:
    classifier = make_classifier(frozen=1)
    run_fit(classifier, toy(64), toy(16, seed=1), bf16=True, epochs=1)
    model = TextClassifier(classifier, tokenizer, bf16=True)
    texts = ["market bank", "team final win", "season"]
    rough = model.predict_proba(texts)
    model.save(tmp_path)
    saved = load_file(tmp_path / "encoder" / "model.safetensors") | load_file(tmp_path / "head.safetensors")
    assert {tensor.dtype for tensor in saved.values()} == {torch.float32}
    query = saved["encoder.layer.2.attention.self.query.weight"]
    assert torch.equal(query, classifier.encoder.layers[2].get_parameter("attention.self.query.weight"))
    assert not torch.equal(query, query.bfloat16().float()), "the bits that bf16 has not are there"
    loaded = TextClassifier.load(tmp_path, precision="fp32").predict_proba(texts)
    np.testing.assert_allclose(loaded, rough, atol=0.02)
    assert np.array_equal(TextClassifier.load(tmp_path, precision="bf16").predict_proba(texts), rough)
