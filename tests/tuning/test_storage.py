"""Where a sweep's trials are kept: a file, or a database whose URL may hold a password."""

from pathlib import Path

import pytest

from newsclf.errors import InputError
from newsclf.tuning.storage import STORAGE_VARIABLE
from tests.tuning.trials import opened


def test_another_sweep_of_the_same_name_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(InputError, match="trial-sweep is there already and tries other settings"):
        opened(tmp_path, runs=[{"epochs": 9}])


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("study.db", "give an SQLAlchemy URL"),
        ("sqlite:////no/such/folder/study.db", "cannot be used"),
        ("mongodb://host/db", "storage mongodb://host/db cannot be used"),
    ],
)
def test_a_storage_that_is_no_good_is_bad_input(storage: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        opened(tmp_path, storage=storage)
    assert message in str(error.value)


def test_a_storage_with_a_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORAGE_VARIABLE, f"sqlite:///{tmp_path / 'shared.db'}")
    opened(tmp_path)
    assert (tmp_path / "shared.db").is_file()
    assert not (tmp_path / "study.db").exists()
    monkeypatch.setenv(STORAGE_VARIABLE, "mysql+nosuchdriver://me:secret@host/db")
    with pytest.raises(InputError, match="storage mysql.nosuchdriver:.*host/db cannot be used") as error:
        opened(tmp_path)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("name", ["50%", "a%20b", "what?", "a#b"])
def test_the_file_is_the_one_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    opened(tmp_path / name)
    assert (tmp_path / name / "study.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
