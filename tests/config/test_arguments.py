"""What may be typed behind a verb. Its other kinds: a wrong verb, a name no option has, a value that is out of its
limits (tests/test_cli.py, test_options.py); what make hands on (tests/test_makefile.py)."""

import pytest

from newsclf.config.arguments import FORM, parse
from newsclf.errors import InputError

NAMES = ("epochs", "dataset", "seed", "config")
FLAGS = ("--dry-run", "--print-config")


@pytest.mark.parametrize(
    ("words", "given", "flags"),
    [
        ([], {}, set()),
        (["epochs=3"], {"epochs": "3"}, set()),
        (["--epochs=3"], {"epochs": "3"}, set()),
        (["--epochs", "3"], {"epochs": "3"}, set()),
        (["--epochs="], {"epochs": ""}, set()),
        (["--epochs", ""], {"epochs": ""}, set()),
        (["dataset=a=b==c"], {"dataset": "a=b==c"}, set()),
        (["--dataset", "a=b"], {"dataset": "a=b"}, set()),
        (["--dataset", "--what"], {"dataset": "--what"}, set()),  # as MLflow hands on a value that begins so
        (["--dataset=--dry-run"], {"dataset": "--dry-run"}, set()),
        (["--dataset", "-1"], {"dataset": "-1"}, set()),
        (["dataset=a b\nc"], {"dataset": "a b\nc"}, set()),
        (["epochs=1", "--dry-run", "--seed", "2", "--print-config"], {"epochs": "1", "seed": "2"}, set(FLAGS)),
        (["other=1", "--third", "2"], {"other": "1", "third": "2"}, set()),  # named by whoever knows what is near
    ],
)
def test_three_forms_of_an_option_and_flags(words: list[str], given: dict[str, str], flags: set[str]) -> None:
    assert parse(words, NAMES, FLAGS) == (given, flags)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["epochs", "20"], "argument epochs is no option by itself: write epochs=20"),
        (["epochs"], "argument epochs is no option by itself: write epochs=value"),
        (["-epochs", "20"], "argument -epochs is no option by itself: write epochs=20"),
        (["epoch", "20"], "argument epoch is no option by itself: write epochs=20"),
        (["epochs", "=", "20"], "argument epochs is no option by itself: write epochs=20"),
        (["epochs", "=20"], "argument epochs is no option by itself: write epochs=20"),
        (["epochs", "--seed=1"], "argument epochs is no option by itself: write epochs=value"),
        (["20"], "argument '20' is no option: write name=value, --name value or --name=value"),
        (["--"], "argument '--' is no option: write name=value, --name value or --name=value"),
        (["-"], "argument '-' is no option: write name=value, --name value or --name=value"),
        ([""], "argument '' is no option: write name=value, --name value or --name=value"),
        (["---epochs=3"], "argument ---epochs=3 is no option by itself: write epochs=value"),
        (["-v=3"], "argument '-v=3' is no option: write name=value, --name value or --name=value"),
        (["=3"], f"argument =3 has no name before its =: write {FORM}, with no blank beside the ="),
        (["--=3"], "argument '--=3' is no option: write name=value, --name value or --name=value"),
        (["--epochs"], "option epochs has no value: write epochs=value"),
        (["--dataset", "--epochs", "3"], "option dataset has no value: write dataset=value"),
        (["--dataset", "--epochs=3"], "option dataset has no value: write dataset=value"),
        (["--dataset", "--dry-run"], "option dataset has no value: write dataset=value"),
        (["epochs=1", "epochs=1"], "option epochs is given twice: give it once"),
        (["epochs=1", "--epochs", "2"], "option epochs is given twice: give it once"),
        (["--dry-run", "--dry-run"], "--dry-run is given twice: give it once"),
        (["-P", "epochs=3"], "argument -P is one of mlflow run: here an option is just name=value"),
    ],
)  # fmt: skip
def test_any_other_word_is_named_with_what_to_write(words: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        parse(words, NAMES, FLAGS)
    assert str(error.value) == message
