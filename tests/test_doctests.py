"""The examples in docstrings give exactly what they say, and what is for others has one."""

import doctest
import importlib
import inspect
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Rooms of whose functions each that is public has an example; of the others, those that there are must be right.
WHOLE = ("stats",)
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in (ROOT / "newsclf").rglob("*.py")
    if path.stem != "__init__" and (">>> " in path.read_text(encoding="utf-8") or path.parent.name in WHOLE)
)


def without_example(module: ModuleType) -> list[str]:
    """The public functions of the module, and public methods of its public classes, whose docstring has no example."""
    own = [one for one in vars(module).values() if getattr(one, "__module__", None) == module.__name__]
    owners = [one for one in own if inspect.isclass(one) and not one.__name__.startswith("_")]
    functions = [one for one in own if inspect.isfunction(one)]
    functions += [one for owner in owners for one in vars(owner).values() if isinstance(one, FunctionType)]
    return [one.__qualname__ for one in functions if one.__name__[0] != "_" and ">>> " not in (one.__doc__ or "")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0, "see above what was said, and what was got"
    if name.split(".")[1] in WHOLE:
        assert without_example(module) == []


def test_a_wrong_example_and_a_missing_one_are_seen() -> None:
    module = ModuleType("made")
    exec('def right():\n    """\n    >>> 1 + 1\n    2\n    """\ndef none():\n    """Nothing."""\n', vars(module))
    assert without_example(module) == ["none"]
    assert doctest.testmod(module).failed == 0
    exec('def wrong():\n    """\n    >>> 1 + 1\n    3\n    """\n', vars(module))
    assert doctest.testmod(module).failed == 1
