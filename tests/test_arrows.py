"""Imports run down one order of floors, and never in a circle. A room knows its own subject."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsclf.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
# From the top. A room imports itself, what is on a floor below its own, and nothing else.
FLOORS = (
    ("entrypoints",),
    ("cli",),
    ("completion", "plans"),
    ("verbs",),
    ("reports",),
    ("retraining", "tuning"),
    ("serving", "monitoring", "tracking"),
    ("drift",),
    ("profiling",),
    ("model", "data"),
    ("evaluation", "features", "config"),
    ("stats",),
    ("fetching", "files", "locks", "masking", "messages", "output", "progress", "untrusted"),
    ("errors",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
GROUND = {*FLOORS[-2], *FLOORS[-1]}
HEAVY = {"torch", "pytorch_lightning", "transformers", "mlflow", "whylogs"}
# The serving room defines the class that MLflow loads.
MAY_IMPORT_MLFLOW = {"newsclf/serving/pyfunc.py"}


def imports(source: str) -> set[str]:
    """Every module that `source` imports, at any depth of the code: `from a import b` counts as a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def files(folder: str) -> Iterator[tuple[str, set[str]]]:
    """(path from the root, imports) of every Python file below `folder`."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), imports(path.read_text(encoding="utf-8"))


def room_of(path: str) -> str:
    """tracking of newsclf/tracking/journal/store.py, errors of newsclf/errors.py."""
    parts = path.split("/")
    return parts[0] if parts[0] != "newsclf" else parts[1].removesuffix(".py")


def rooms_of(modules: set[str]) -> set[str]:
    """data of newsclf.data.splits: the rooms and ground files that are imported."""
    return {module.split(".")[1] for module in modules if module.startswith("newsclf.")} & set(FLOOR)


def packages(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


def modules_of_newsclf() -> dict[str, set[str]]:
    """By module name, the modules of newsclf that it imports; a package is imported by name where no module is."""
    paths = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path, _ in files("newsclf")}
    found = {}
    for module, path in paths.items():
        named = imports((ROOT / path).read_text(encoding="utf-8"))
        wanted = set()
        for name in named & set(paths):
            # `from newsclf.drift import concept` is an arrow to the module concept, and none to the package.
            only_modules = {
                other for other in named if other.startswith(f"{name}.") and other.count(".") == name.count(".") + 1
            }
            if not only_modules or only_modules - set(paths):
                wanted.add(name)
        found[module] = wanted - {module}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of the graph, as the nodes along it; empty where there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return path[path.index(node) :]
        if node in done:
            return []
        for other in sorted(graph[node]):
            if found := walk(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := walk(node, []))), [])


def test_there_is_something_to_hold() -> None:
    rooms = {path.name.removesuffix(".py") for path in (ROOT / "newsclf").iterdir() if not path.name.startswith("_")}
    assert rooms | {"entrypoints"} == set(FLOOR)
    assert {path for path, _ in files("newsclf/verbs")} >= {f"newsclf/verbs/{verb}.py" for verb in VERBS}
    assert imports("def f():\n    from newsclf import train\n    import torch.nn\n    from .x import y") == {
        "newsclf", "newsclf.train", "torch.nn", ".x", ".x.y",
    }  # fmt: skip
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_are_absolute() -> None:
    assert [path for path, modules in files("newsclf") if any(module.startswith(".") for module in modules)] == []


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_arrows_run_down(room: str) -> None:
    below = {other for other in FLOOR if FLOOR[other] > FLOOR[room]} | {room}
    found = {
        path: rooms_of(modules) - below
        for folder in ("entrypoints", "newsclf")
        for path, modules in files(folder)
        if room_of(path) == room
    }
    assert {path: rooms for path, rooms in found.items() if rooms} == {}


def test_files_import_each_other_in_no_circle() -> None:
    assert circle(modules_of_newsclf()) == []


def test_a_door_imports_the_command_alone() -> None:
    for path, modules in files("entrypoints"):
        assert rooms_of(modules) <= {"cli"}, path
        assert packages(modules) <= {"newsclf", "sys"}, f"{path} must stay quick to start"


def test_a_verb_imports_no_other_verb() -> None:
    verbs = {Path(path).stem for path, _ in files("newsclf/verbs")}
    found = {
        path: {module.split(".")[2] for module in modules if module.startswith("newsclf.verbs.")}
        & verbs - {Path(path).stem}
        for path, modules in files("newsclf/verbs")
    }
    assert {path: verbs for path, verbs in found.items() if verbs} == {}


@pytest.mark.parametrize("room", ["data", "stats", "features", "config", "evaluation", *sorted(GROUND)])
def test_what_lies_low_knows_nothing_of_models_and_servers(room: str) -> None:
    found = {path: packages(modules) & HEAVY for path, modules in files("newsclf") if room_of(path) == room}
    assert {path: parts for path, parts in found.items() if parts} == {}


def test_only_tracking_talks_to_mlflow() -> None:
    found = [path for path, modules in files("newsclf") if "mlflow" in packages(modules)]
    assert [path for path in found if room_of(path) != "tracking" and path not in MAY_IMPORT_MLFLOW] == []


def test_only_profiling_imports_whylogs() -> None:
    found = [path for path, modules in files("newsclf") if "whylogs" in packages(modules)]
    assert [path for path in found if room_of(path) != "profiling"] == []
