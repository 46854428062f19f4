"""Imports run one way: entrypoints → verbs → rooms. A room knows its own subject."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = sorted(folder.parent.name for folder in (ROOT / "newsclf").glob("*/__init__.py"))
VERBS = sorted(path.stem for path in (ROOT / "entrypoints").glob("*.py") if path.stem != "__init__")
COMMON = {"errors", "config", "files", "options", "progress"}
# tracking logs a data set and a model, so it has to know what they are.
# monitoring cuts streams of text, or of profiles, into batches.
# profiling, evaluation and retraining write reports, which all look alike.
# retraining mixes rows as data splits them, of a stream that was cut and judged by monitoring.
# serving answers with a model, and profiles what it is asked by the model's reference.
# drift judges what profiling measures, with an encoder's files, which the model room finds.
ALLOWED = {
    "evaluation": {"pages"},
    "tracking": {"data", "model"},
    "monitoring": {"data", "profiling"},
    "profiling": {"data", "pages"},
    "retraining": {"data", "monitoring", "pages"},
    "drift": {"profiling", "model"},
    "serving": {"model", "profiling", "drift"},
}
# The serving room defines the class that MLflow loads; the others are parts of verbs.
MAY_IMPORT_MLFLOW = {
    "newsclf/serving/pyfunc.py",
    "newsclf/report.py",
    "newsclf/references.py",
    "newsclf/sweep_report.py",
}


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


def parts_of_newsclf(modules: set[str]) -> set[str]:
    """data of newsclf.data.splits: the rooms, verbs and common files that are imported."""
    return {module.split(".")[1] for module in modules if module.startswith("newsclf.")}


def packages(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


def test_there_is_something_to_hold() -> None:
    assert {"data", "model", "evaluation", "tracking"} <= set(ROOMS)
    assert {"train", "evaluate"} <= set(VERBS)
    assert imports("def f():\n    from newsclf import train\n    import torch.nn\n    from .x import y") == {
        "newsclf", "newsclf.train", "torch.nn", ".x", ".x.y",
    }  # fmt: skip


def test_imports_are_absolute() -> None:
    assert [path for path, modules in files("newsclf") if any(module.startswith(".") for module in modules)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_no_verb_and_no_other_room(room: str) -> None:
    allowed = COMMON | ALLOWED.get(room, set()) | {room}
    found = {path: parts_of_newsclf(modules) - allowed for path, modules in files(f"newsclf/{room}")}
    assert {path: parts for path, parts in found.items() if parts} == {}


def test_only_doors_and_verbs_import_verbs() -> None:
    verbs = {f"newsclf/{verb}.py" for verb in VERBS}
    found = {path: parts_of_newsclf(modules) & set(VERBS) for path, modules in files("newsclf") if path not in verbs}
    assert {path: parts for path, parts in found.items() if parts} == {}


def test_a_door_imports_its_verb_alone() -> None:
    for path, modules in files("entrypoints"):
        assert parts_of_newsclf(modules) <= {"cli", "config", Path(path).stem}, path
        assert packages(modules) <= {"newsclf", "sys", "collections", "__future__"}, f"{path} must stay quick to start"


def test_the_data_room_knows_nothing_of_models() -> None:
    heavy = {"torch", "pytorch_lightning", "transformers", "mlflow", "whylogs"}
    found = {path: packages(modules) & heavy for path, modules in files("newsclf/data")}
    assert {path: parts for path, parts in found.items() if parts} == {}


def test_only_tracking_and_verbs_talk_to_mlflow() -> None:
    allowed = MAY_IMPORT_MLFLOW | {f"newsclf/{verb}.py" for verb in VERBS}
    found = [path for path, modules in files("newsclf") if "mlflow" in packages(modules) and path not in allowed]
    assert [path for path in found if not path.startswith("newsclf/tracking/")] == []


def test_only_profiling_imports_whylogs() -> None:
    found = [path for path, modules in files("newsclf") if "whylogs" in packages(modules)]
    assert [path for path in found if not path.startswith("newsclf/profiling/")] == []
