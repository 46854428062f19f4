"""tests/ mirrors newsclf/: data/splits.py is tested by tests/data/test_splits.py, or by test_splits_<aspect>.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Files that no unit test has the name of, and where they are tested instead: this list only gets shorter.
ELSEWHERE = {
    "tracking/artifacts/ensemble.py": "integration/test_ensemble.py",
    "__main__.py": "test_cli.py",
    "config/loop.py": "config/test_fields.py",
    "config/modelling.py": "config/test_fields.py",
    "config/shared.py": "config/test_fields.py",
    "config/watching.py": "config/test_fields.py",
    "drift/evidence.py": "drift/test_verdict.py",
    "model/trial.py": "integration/test_dry_run.py",
    "plans/compare.py": "integration/test_dry_run.py",
    "plans/evaluate.py": "integration/test_dry_run.py",
    "plans/monitor.py": "integration/test_dry_run.py",
    "plans/profile.py": "integration/test_dry_run.py",
    "plans/promote.py": "integration/test_dry_run.py",
    "plans/reading.py": "integration/test_dry_run.py",
    "plans/reproduce.py": "integration/test_dry_run.py",
    "plans/retrain.py": "integration/test_dry_run.py",
    "plans/simulate.py": "integration/test_dry_run.py",
    "plans/sweep.py": "integration/test_dry_run.py",
    "plans/sync.py": "integration/test_dry_run.py",
    "plans/train.py": "integration/test_dry_run.py",
    "tracking/journal/damage.py": "verbs/test_sync.py",
    "verbs/compare.py": "integration/test_promotion.py",
    "verbs/evaluate.py": "integration/test_mlflow_run.py",
    "verbs/monitor.py": "integration/test_monitor.py",
    "verbs/profile.py": "integration/test_profile.py",
    "verbs/promote.py": "integration/test_promotion.py",
    "verbs/reproduce.py": "integration/test_reproduce.py",
    "verbs/retrain.py": "integration/test_retrain.py",
    "verbs/sweep.py": "integration/test_sweep.py",
}
NOT_MIRRORED = {"integration", "infra", "stack", "old_files"}  # whole programs, and what is no Python of newsclf


def modules() -> dict[str, Path]:
    """Path from newsclf/ of every file with code of its own, and the folder of its tests."""
    found = {}
    for path in sorted((ROOT / "newsclf").rglob("*.py")):
        if path.name != "__init__.py":
            name = path.relative_to(ROOT / "newsclf")
            found[name.as_posix()] = ROOT / "tests" / name.parent
    return found


def own_tests(name: str, folder: Path) -> list[Path]:
    stem = Path(name).stem
    return [*folder.glob(f"test_{stem}.py"), *folder.glob(f"test_{stem}_*.py")]


def test_every_file_has_a_test_of_its_name() -> None:
    without = {name for name, folder in modules().items() if not own_tests(name, folder)}
    assert sorted(without - ELSEWHERE.keys()) == [], "write one, or say where it is tested"
    assert sorted(ELSEWHERE.keys() - without) == [], "these have one: take them off the list"


def test_what_is_tested_elsewhere_is_tested_there() -> None:
    assert [tests for tests in ELSEWHERE.values() if not (ROOT / "tests" / tests).is_file()] == []


def test_every_test_has_a_file() -> None:
    rooms = [path for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name not in NOT_MIRRORED]
    tests = {path for room in rooms for path in room.rglob("test_*.py")}
    assert sorted(tests - {path for name, folder in modules().items() for path in own_tests(name, folder)}) == []
