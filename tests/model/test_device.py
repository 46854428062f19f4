"""Which device is taken; the GPU of these tests is made up."""

import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.device import choose, peak_gpu_bytes, uses_bf16


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "H100")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not including_emulation)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 5)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_takes_the_gpu(gpu: None) -> None:
    assert choose("auto") == choose("cuda") == ("cuda", "H100")
    assert choose("cpu").type == "cpu"
    assert peak_gpu_bytes() == 5


def test_without_one_auto_takes_the_cpu_and_says_which(no_gpu: None) -> None:
    found = choose("auto")
    assert found.type == "cpu"
    assert found.name.endswith(f", {torch.get_num_threads()} threads")
    assert peak_gpu_bytes() == 0


@pytest.mark.parametrize("wanted", ["cuda", "mps", "tpu"])
def test_a_device_that_is_not_there(no_gpu: None, wanted: str) -> None:
    with pytest.raises(InputError, match=f"option device is {wanted}: there is no such device here; use auto or cpu"):
        choose(wanted)


def test_auto_computes_in_bf16_where_the_gpu_can(gpu: None) -> None:
    assert [uses_bf16("auto", device) for device in ("cuda", "cpu")] == [True, False]
    assert [uses_bf16(precision, "cpu") for precision in ("bf16", "fp32")] == [True, False]
