"""python_env.yaml, conda.yaml, pyproject.toml and the running environment name the same packages."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.lock import ROOT, closure, direct_block, installed_version, pins

PYTHON_ENV: dict[str, Any] = yaml.safe_load((ROOT / "python_env.yaml").read_text())
CONDA: dict[str, Any] = yaml.safe_load((ROOT / "conda.yaml").read_text())
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())

PINNED = {canonicalize_name(pin.name): pin for pin in map(Requirement, PYTHON_ENV["dependencies"])}
DIRECT = {canonicalize_name(name) for name in pins(direct_block((ROOT / "python_env.yaml").read_text()))}
EXACT = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][A-Za-z0-9.]*")
MALICIOUS = {"lightning": ("2.6.2", "2.6.3")}


def exact_lists() -> Iterator[tuple[str, list[str]]]:
    yield "python_env.yaml", PYTHON_ENV["dependencies"]
    yield "python_env.yaml, build", PYTHON_ENV["build_dependencies"]
    yield "conda.yaml", CONDA["dependencies"][-1]["pip"]
    yield from PYPROJECT["project"]["optional-dependencies"].items()
    yield from PYPROJECT["dependency-groups"].items()


def test_conda_has_the_pins_of_python_env() -> None:
    python, pip, nested = CONDA["dependencies"]
    assert nested["pip"] == PYTHON_ENV["dependencies"]
    assert python == f"python={PYTHON_ENV['python']}"
    assert pip.replace("=", "==") in PYTHON_ENV["build_dependencies"]


@pytest.mark.parametrize(
    ("where", "lines"), list(exact_lists()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_pin_is_exact_and_stands_once(where: str, lines: list[str]) -> None:
    assert [line for line in lines if not EXACT.fullmatch(line)] == []
    names = [canonicalize_name(Requirement(line).name) for line in lines]
    assert len(names) == len(set(names)), where


def test_python_is_given_to_the_patch_and_within_the_range() -> None:
    version = Version(PYTHON_ENV["python"])
    assert len(version.release) == 3
    assert Requirement(f"python{PYPROJECT['project']['requires-python']}").specifier.contains(version)


def test_the_ranges_are_of_the_direct_pins_and_contain_them() -> None:
    ranges = {canonicalize_name(r.name): r for r in map(Requirement, PYPROJECT["project"]["dependencies"])}
    assert ranges.keys() == DIRECT
    for name, wanted in ranges.items():
        (pin,) = PINNED[name].specifier
        assert wanted.specifier.contains(pin.version), f"{wanted} does not contain the pin {pin.version}"
        assert {part.operator for part in wanted.specifier} == {">=", "<"}, f"{wanted} is not closed on both sides"
        major = Version(pin.version).major
        assert not wanted.specifier.contains(f"{major + 1}.0"), f"{wanted} reaches into the next major version"


def test_the_pins_are_all_that_the_direct_ones_need() -> None:
    assert closure(DIRECT) == PINNED.keys(), "run `make lock`"


def test_the_running_environment_is_the_pinned_one() -> None:
    pinned = {name: next(iter(pin.specifier)).version for name, pin in PINNED.items()}
    assert {name: installed_version(name) for name in pinned} == pinned


def test_a_package_pinned_twice_has_one_version() -> None:
    build = {canonicalize_name(r.name): r for r in map(Requirement, PYTHON_ENV["build_dependencies"])}
    assert {name: pin for name, pin in build.items() if name in PINNED and pin != PINNED[name]} == {}


@pytest.mark.parametrize("where", ["pins", "ranges", "environment"])
def test_no_wheel_that_was_taken_over(where: str) -> None:
    lists = [lines for _, lines in exact_lists()] if where == "pins" else [PYPROJECT["project"]["dependencies"]]
    if where == "environment":
        lists = [[f"{found.name}=={found.version}" for found in metadata.distributions()]]
    requirements = [Requirement(line) for lines in lists for line in lines]
    assert [found for found in requirements if admits_malicious(found)] == []


def admits_malicious(requirement: Requirement) -> bool:
    """Also of the twin package pytorch-lightning, which is released with the same numbers."""
    name = canonicalize_name(requirement.name).removeprefix("pytorch-")
    return any(requirement.specifier.contains(version) for version in MALICIOUS.get(name, ()))


def test_the_check_for_taken_over_wheels_sees_them() -> None:
    for bad in ("lightning", "lightning==2.6.3", "Lightning>=2.6", "pytorch_lightning>=2,<3"):
        assert admits_malicious(Requirement(bad))
    for good in ("pytorch-lightning==2.6.6", "lightning-utilities==2.6.2"):
        assert not admits_malicious(Requirement(good))
