"""The faster dropout is dropout: rate, scale, gradient, and nothing in eval mode."""

import pytest
import torch

from newsclf.model.encoder import Dropout

ELEMENTS = 400_003  # no multiple of the four that one draw serves


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_share_of_the_rate_is_dropped_and_the_rest_scaled_up(rate: float) -> None:
    torch.manual_seed(0)
    out = Dropout(rate)(torch.ones(ELEMENTS))
    kept = out[out != 0]
    error = (rate * (1 - rate) / ELEMENTS) ** 0.5
    assert abs((1 - len(kept) / ELEMENTS) - rate) < 5 * error
    assert torch.allclose(kept, torch.tensor(1 / (1 - rate)), rtol=1e-4)
    assert len(kept.unique()) == 1


def test_the_mean_is_kept() -> None:
    torch.manual_seed(0)
    assert Dropout(0.3)(torch.ones(1000, 1000)).mean().item() == pytest.approx(1, abs=0.004)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    dropped = (Dropout(0.5)(torch.ones(ELEMENTS)) == 0).double()
    for distance in (1, 2, 3, 4, 5):
        pair = torch.stack([dropped[:-distance], dropped[distance:]])
        assert abs(torch.corrcoef(pair)[0, 1].item()) < 5 / ELEMENTS**0.5


def test_the_gradient_flows_through_what_was_kept() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 33, requires_grad=True)
    out = Dropout(0.25)(x)
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x, out)
    assert 0 < (x.grad == 0).float().mean() < 0.5


def test_each_call_draws_anew_and_the_seed_decides() -> None:
    layer, x = Dropout(0.5), torch.ones(1000)
    torch.manual_seed(1)
    first, second = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


def test_eval_mode_and_rate_zero_change_nothing() -> None:
    x = torch.randn(5, 7)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x


def test_any_shape_and_precision_stays_as_it_is() -> None:
    for shape in ((), (1,), (3, 1, 5), (0, 4)):
        assert Dropout(0.5)(torch.ones(shape)).shape == shape
    assert Dropout(0.5)(torch.ones(8, dtype=torch.bfloat16)).dtype == torch.bfloat16
    strided = torch.arange(1.0, 10_001).reshape(100, 100).T
    out = Dropout(0.5)(strided)
    assert torch.allclose(out[out != 0], 2 * strided[out != 0])
