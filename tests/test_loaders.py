"""No loader is called in a way that could run what it loads: trust_remote_code, pickles, and tags of YAML are off."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# By the called name, the argument that must stand there, and its value. What they load may be anybody's.
ARGUMENTS = {
    "from_pretrained": ("trust_remote_code", False),
    "AutoConfig.from_config": ("trust_remote_code", False),  # alembic has a from_config as well
    "AutoModel.from_config": ("trust_remote_code", False),
    "load_from_checkpoint": ("weights_only", True),
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "trainer.fit": ("weights_only", True),
}
# What runs, or may run, what it reads.
NEVER = {
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load",
    "pd.read_pickle", "pandas.read_pickle", "load_model", "eval", "exec", "compile",
    "Model.load", "runpy.run_path", "pipeline", "get_class_from_dynamic_module",
}  # fmt: skip
PICKLERS = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "runpy"}


def called(call: ast.Call) -> set[str]:
    """The names that a call may be listed by: of a.b.c() they are a.b.c, b.c and c."""
    parts = ast.unparse(call.func).split(".")
    return {".".join(parts[start:]) for start in range(len(parts))}


def wrong(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names}
            yield from (f"import {name}" for name in sorted(names & PICKLERS))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLERS:
            yield f"from {node.module} import"
        elif isinstance(node, ast.Call):
            # re.compile is none of these, and a method of that name is not the built-in one.
            names = called(node) - ({"compile", "eval", "exec"} if isinstance(node.func, ast.Attribute) else set())
            yield from sorted(names & NEVER)
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            for name in sorted(names & set(ARGUMENTS)):
                argument, value = ARGUMENTS[name]
                if given.get(argument) is not value:
                    yield f"{name} without {argument}={value}"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("AutoConfig.from_pretrained(folder)", ["from_pretrained without trust_remote_code=False"]),
        ("AutoModel.from_config(c, trust_remote_code=True)", ["AutoModel.from_config without trust_remote_code=False"]),
        ("AutoModel.from_config(f, trust_remote_code=no)", ["AutoModel.from_config without trust_remote_code=False"]),
        ("torch.load(path)", ["torch.load without weights_only=True"]),
        ("numpy.load(path)", ["numpy.load without allow_pickle=False"]),
        ("import pickle as p, json", ["import pickle"]),
        ("from joblib.numpy_pickle import load", ["from joblib.numpy_pickle import"]),
        ("yaml.load(text, Loader)", ["yaml.load"]),
        ("mlflow.pyfunc.load_model(uri)", ["load_model"]),
        ("eval(text)", ["eval"]),
        ("ScriptDirectory.from_config(config); re.compile(text); yaml.safe_load(text); model.eval()", []),
        ("torch.load(path, weights_only=True)", []),
    ],
)  # fmt: skip
def test_the_scan_sees(source: str, says: list[str]) -> None:
    assert list(wrong(source)) == says


def test_no_loader_runs_what_it_loads() -> None:
    files = [path for folder in ("newsclf", "entrypoints", "infra", "tools") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 150
    found = {
        path.relative_to(ROOT).as_posix(): problems
        for path in files
        if (problems := list(wrong(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_a_model_is_loaded_in_one_way_only() -> None:
    """Who loads a classifier has fetched it, which checks its folder; serving is started by MLflow itself."""
    calling = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "newsclf").rglob("*.py")
        if "TextClassifier.load(" in path.read_text(encoding="utf-8")
    }
    assert calling - {"newsclf/serving/pyfunc.py"} <= {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "newsclf").rglob("*.py")
        if "fetch(" in path.read_text(encoding="utf-8")
    }
