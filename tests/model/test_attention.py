"""Both ways of attention give the same, with padding and without, forward and backward, for every family."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from newsclf.model import attention
from newsclf.model.attention import PLAIN_UP_TO, is_plain
from newsclf.model.encoder import FAMILIES, load
from tests.model.conftest import VOCABULARY, pad_id_of, padded_ids


def by_way(monkeypatch: pytest.MonkeyPatch, plain: bool) -> list[bool]:
    """Every attention takes this way; the list gets what was taken, to see that there was a choice at all."""
    taken: list[bool] = []

    def is_plain(_: Tensor) -> bool:
        taken.append(plain)
        return plain

    monkeypatch.setattr(attention, "is_plain", is_plain)
    return taken


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_both_ways_give_the_same_states_and_gradients(
    family: str, padded: bool, family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load(family_folder(family), 0.0, 0.0).train()
    ids, mask = padded_ids(pad_id_of(encoder))
    seen: Tensor | None = mask
    if not padded:
        ids, mask = torch.randint(5, VOCABULARY, (3, 9)), torch.ones(3, 9, dtype=torch.bool)
        seen = None
    found = []
    for plain in (True, False):
        taken = by_way(monkeypatch, plain)
        encoder.zero_grad()
        states = encoder(ids, seen)[mask]
        states.square().mean().backward()
        gradients = {name: weight.grad for name, weight in encoder.named_parameters()}
        found.append((states.detach(), gradients))
        assert taken == [plain] * 3, "one a layer"
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_both_ways_give_the_same_in_bf16(
    family: str, family_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To bf16's three digits."""
    encoder = load(family_folder(family), 0.0, 0.0).eval()
    ids, mask = padded_ids(pad_id_of(encoder))
    found = []
    for plain in (True, False):
        by_way(monkeypatch, plain)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            states = encoder(ids, mask)[mask]
        assert states.dtype == torch.bfloat16
        found.append(states.float())
    assert torch.cosine_similarity(found[0], found[1], dim=-1).min() > 0.999


def test_dropout_inside_attention_is_that_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    query, value = torch.zeros(50, 2, 40, 4), torch.ones(50, 2, 40, 4)
    kept = attention.plain(query, query, value, None, 0.25, 1.0)
    assert kept.mean().item() == pytest.approx(1, abs=0.01)
    assert kept.std() > 0.05
    assert torch.allclose(attention.plain(query, query, value, None, 0.0, 1.0), value)


def test_the_faster_way_by_length_pass_and_arithmetic() -> None:
    def taken(length: int, training: bool, dtype: torch.dtype) -> bool:
        return is_plain(torch.zeros(1, 1, length, 1, dtype=dtype, requires_grad=training))

    found = {
        (dtype, training): [length for length in (1, 64, 256, 257, 512) if taken(length, training, dtype)]
        for dtype in (torch.float32, torch.bfloat16)
        for training in (True, False)
    }
    assert found.pop((torch.bfloat16, True)) == [1, 64, 256]
    assert list(found.values()) == [[], [], []]
    with torch.no_grad():  # of frozen layers below trained ones
        assert not taken(64, True, torch.bfloat16)
    assert len(PLAIN_UP_TO) == 4


def test_a_gpu_has_its_own_kernels() -> None:
    assert not is_plain(torch.zeros(1, 1, 8, 1, dtype=torch.bfloat16, device="meta", requires_grad=True))


def test_what_is_saved_is_loaded_by_anybody(family_folder: Callable[[str], Path], tmp_path: Path) -> None:
    from transformers import AutoModel

    encoder = load(family_folder("bert"), 0.0, 0.0).eval()
    encoder.transformer.save_pretrained(tmp_path)  # type: ignore[operator]
    assert attention.NAME not in json.dumps(json.loads((tmp_path / "config.json").read_text()))
    ids, mask = padded_ids(pad_id_of(encoder))
    with torch.inference_mode():
        theirs = AutoModel.from_pretrained(tmp_path).eval()(input_ids=ids, attention_mask=mask.long())
        torch.testing.assert_close(encoder(ids, mask)[mask], theirs.last_hidden_state[mask], atol=1e-5, rtol=1e-5)
