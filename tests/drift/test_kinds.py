"""Every file of a kind of drift is in the list, and has what a kind needs."""

import inspect
from importlib import import_module
from pathlib import Path

from newsclf.drift import kinds
from newsclf.drift.kinds import KINDS, NAMES, RETRAINABLE


def test_a_file_that_judges_is_a_kind() -> None:
    folder = Path(kinds.__file__).parent
    modules = {path.stem: import_module(f"newsclf.drift.{path.stem}") for path in folder.glob("[a-z]*.py")}
    assert {name for name, module in modules.items() if hasattr(module, "judge")} == set(NAMES)
    assert [modules[name] for name in NAMES] == list(KINDS), "a kind is called as its file is"


def test_a_kind_judges_texts_and_profiles_by_three_things() -> None:
    for kind in KINDS:
        for judge in (kind.judge, kind.judge_profiles):
            assert len(inspect.signature(judge).parameters) == 3, kind.NAME


def test_a_kind_says_whether_a_new_model_helps() -> None:
    assert set(NAMES) - set(RETRAINABLE) == {"quality"}
