"""Which device is taken; the GPU of these tests is made up."""

import inspect
from pathlib import Path

import pytest
import torch

from newsclf.config import EvaluateConfig
from newsclf.config.shared import ComputeOptions
from newsclf.errors import InputError
from newsclf.model.device import choose, has_bf16, peak_gpu_bytes, resolved, uses_bf16
from newsclf.verbs import VERBS


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


@pytest.fixture(params=["_is_amx_tile_supported", "_is_avx512_bf16_supported"])
def fast_cpu(request: pytest.FixtureRequest, no_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, request.param, lambda: True)


@pytest.fixture
def slow_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)


def options(precision: str = "auto", device: str = "auto") -> tuple[str, str]:
    """What evaluate would compute on, and in which arithmetic."""
    found = resolved(EvaluateConfig(model="m", precision=precision, device=device))
    return found.device, found.precision


def test_auto_computes_in_bf16_where_the_processor_can(fast_cpu: None) -> None:
    assert has_bf16("cpu")
    assert options() == ("cpu", "bf16")
    assert options("fp32") == ("cpu", "fp32")


def test_auto_computes_in_float32_where_it_cannot(no_gpu: None, slow_cpu: None) -> None:
    assert not has_bf16("cpu")
    assert options() == ("cpu", "fp32")
    assert options("bf16") == ("cpu", "bf16"), "slowly, as it was asked for"


def test_other_devices_have_no_bf16_because_the_processor_has(fast_cpu: None) -> None:
    assert not has_bf16("mps")


def test_auto_is_the_gpu_and_its_arithmetic(gpu: None, slow_cpu: None) -> None:
    assert options() == ("cuda", "bf16")
    assert options(device="cpu") == ("cpu", "fp32")


def test_every_verb_that_computes_is_told_the_arithmetic() -> None:
    """What is resolved is logged, and so repeated by reproduce."""
    computing = {verb for verb, config in VERBS.items() if issubclass(config, ComputeOptions)}
    assert computing == {"train", "evaluate", "promote", "profile", "monitor", "retrain"}
    for verb in computing - {"retrain"}:  # which computes nothing itself: its children do
        source = Path(inspect.getfile(VERBS[verb])).parents[1] / "verbs" / f"{verb}.py"
        assert "resolved(config)" in source.read_text(encoding="utf-8"), verb


def test_auto_computes_in_bf16_where_the_gpu_can(gpu: None, slow_cpu: None) -> None:
    assert [uses_bf16("auto", device) for device in ("cuda", "cpu")] == [True, False]
    assert [uses_bf16(precision, "cpu") for precision in ("bf16", "fp32")] == [True, False]
