"""Arguments and YAML become a checked dataclass, or one line that says what is wrong and what is allowed."""

import re
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsclf.config import EvaluateConfig, TrainConfig
from newsclf.config.fields import option
from newsclf.config.options import as_text, as_yaml, build, help_text, resolve
from newsclf.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Brew:
    """Make a pot of something."""

    drink: str = option("tea", "what to make", role="setting", choices=("tea", "coffee"))
    cups: int = option(2, "how many", role="setting", low=1, high=12)
    strength: float | None = option(None, "grams a cup", role="setting", low=0.5, none="auto")
    milk: bool = option(False, "with milk", role="setting")
    spices: tuple[str, ...] = option((), "what goes in", role="setting")
    for_whom: str = option(MISSING, "a name", role="setting")


def brew(*arguments: str) -> Brew:
    return resolve(Brew, ["--for_whom", "Ada", *arguments])


def complaint(*arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        brew(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return tmp_path / "recipe.yaml"


def test_without_arguments_every_option_has_its_default() -> None:
    assert brew() == Brew(drink="tea", cups=2, strength=None, milk=False, spices=(), for_whom="Ada")
    assert resolve(TrainConfig, []) == TrainConfig()


def test_values_have_the_types_of_their_fields() -> None:
    got = brew("--cups", "3", "--strength=2", "--milk", "True", "--spices", "mint, anise", "--drink=coffee")
    assert got == Brew(drink="coffee", cups=3, strength=2.0, milk=True, spices=("mint", "anise"), for_whom="Ada")
    assert (type(got.cups), type(got.strength)) == (int, float)


@pytest.mark.parametrize(
    ("argument", "name", "value"),
    [
        ("--cups=1", "cups", 1),
        ("--cups=12", "cups", 12),
        ("--cups=1e1", "cups", 10),
        ("--cups=3.0", "cups", 3),
        ("--strength=0.5", "strength", 0.5),
        ("--strength=5E-1", "strength", 0.5),
        ("--strength=auto", "strength", None),
        ("--milk=FALSE", "milk", False),
        ("--spices=none", "spices", ()),
        ("--spices=", "spices", ()),
        ("--for_whom=a=b", "for_whom", "a=b"),
        ("--for_whom=", "for_whom", ""),
    ],
)
def test_what_may_be_typed(argument: str, name: str, value: object) -> None:
    assert getattr(resolve(Brew, [argument] if name == "for_whom" else ["--for_whom=x", argument]), name) == value


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--cups=0", "option cups is '0': it must be a whole number from 1 to 12"),
        ("--cups=13", "option cups is '13': it must be a whole number from 1 to 12"),
        ("--cups=2.5", "option cups is '2.5': it must be a whole number from 1 to 12"),
        ("--cups=many", "option cups is 'many': it must be a whole number from 1 to 12"),
        ("--cups=auto", "option cups is 'auto': it must be a whole number from 1 to 12"),
        ("--cups=nan", "option cups is 'nan': it must be a whole number from 1 to 12"),
        ("--cups=", "option cups is '': it must be a whole number from 1 to 12"),
        ("--strength=0.4", "option strength is '0.4': it must be a number of 0.5 or more, or auto"),
        ("--strength=inf", "option strength is 'inf': it must be a number of 0.5 or more, or auto"),
        ("--strength=none", "option strength is 'none': it must be a number of 0.5 or more, or auto"),
        ("--milk=yes", "option milk is 'yes': it must be true or false"),
        ("--milk=1", "option milk is '1': it must be true or false"),
        ("--drink=cofee", "option drink is 'cofee': it must be one of tea, coffee; did you mean coffee?"),
        ("--drink=water", "option drink is 'water': it must be one of tea, coffee"),
    ],
)
def test_a_bad_value_ends_with_what_is_allowed(argument: str, message: str) -> None:
    assert complaint(argument) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cup", "3"], "unknown option cup: did you mean cups?"),
        (["--strenght=3"], "unknown option strenght: did you mean strength?"),
        (["--confg", "x"], "unknown option confg: did you mean config?"),
        (
            ["--zzz", "3"],
            "unknown option zzz: valid are drink, cups, strength, milk, spices, for_whom, config",
        ),
        (["--cups"], "option cups has no value: write cups=value"),
        (["--cups", "3", "--cups=4"], "option cups is given twice: give it once"),
    ],
)
def test_a_bad_argument_ends_with_what_was_meant(arguments: list[str], message: str) -> None:
    assert complaint(*arguments) == message


def test_every_misspelt_option_of_train_finds_its_name() -> None:
    for field in fields(TrainConfig):
        misspelt = field.name[:-1] + "x"
        with pytest.raises(InputError, match=f"unknown option {misspelt}: did you mean {field.name}?"):
            resolve(TrainConfig, [f"--{misspelt}", "1"])


def test_values_in_a_list_are_checked_one_by_one() -> None:
    assert resolve(TrainConfig, ["--remove", "headers,quotes"]).remove == ("headers", "quotes")
    with pytest.raises(InputError, match="unknown value in option remove: footer: did you mean footers?"):
        resolve(TrainConfig, ["--remove", "headers,footer"])


def test_a_required_option_is_asked_for() -> None:
    with pytest.raises(InputError, match="option for_whom is missing: a name"):
        resolve(Brew, [])
    with pytest.raises(InputError, match="option model is missing"):
        resolve(EvaluateConfig, [])


def test_a_long_value_is_shown_in_part() -> None:
    assert len(complaint("--cups", "9" * 10_000)) < 200


def test_the_command_line_wins_over_the_file_and_the_file_over_the_default(recipe: Path) -> None:
    recipe.write_text("cups: 5\nmilk: true\nspices: [mint]\nstrength: 1e-0\n")
    got = brew("--config", str(recipe), "--cups", "6")
    assert got == Brew(drink="tea", cups=6, strength=1.0, milk=True, spices=("mint",), for_whom="Ada")


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "{}"])
def test_a_file_may_hold_nothing(recipe: Path, text: str) -> None:
    recipe.write_text(text)
    assert brew("--config", str(recipe)) == brew()


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("strength: auto", "strength", None),
        ("strength: null", "strength", None),
        ("spices: mint,anise", "spices", ("mint", "anise")),
        ("spices: []", "spices", ()),
        ("spices: [1, two]", "spices", ("1", "two")),
        ("for_whom: 7", "for_whom", "7"),
        ("milk: 'true'", "milk", True),
    ],
)
def test_what_may_stand_in_a_file(recipe: Path, line: str, name: str, value: object) -> None:
    recipe.write_text(line)
    given = ["--config", str(recipe), *([] if name == "for_whom" else ["--for_whom", "x"])]
    assert getattr(resolve(Brew, given), name) == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cups: true", "option cups is True: it must be a whole number from 1 to 12"),
        ("cups: [1]", "option cups is [1]: it must be a whole number from 1 to 12"),
        ("cups:", "option cups is None: it must be a whole number from 1 to 12"),
        ("drink:", "option drink is None: it must be one of tea, coffee"),
        ("drink: {a: 1}", "option drink is {'a': 1}: it must be one of tea, coffee"),
        ("spices: 3", "option spices is 3: it must be a comma-separated list, or none"),
        ("milk: 1", "option milk is 1: it must be true or false"),
    ],
)
def test_a_bad_value_in_a_file_ends_with_what_is_allowed(recipe: Path, line: str, message: str) -> None:
    recipe.write_text(line)
    assert complaint("--config", str(recipe)) == message


def test_a_misspelt_name_in_a_file_is_told_with_the_file(recipe: Path) -> None:
    recipe.write_text("cup: 3")
    assert complaint("--config", str(recipe)) == f"unknown option cup in {recipe}: did you mean cups?"


def test_a_misspelt_argument_is_not_blamed_on_the_file(recipe: Path) -> None:
    recipe.write_text("cups: 3")
    assert complaint("--config", str(recipe), "--mild", "true") == "unknown option mild: did you mean milk?"


def test_a_file_cannot_name_another_file(recipe: Path) -> None:
    recipe.write_text("config: other.yaml")
    message = complaint("--config", str(recipe))
    assert message.startswith(f"unknown option config in {recipe}: ")
    assert "did you mean config?" not in message


@pytest.mark.parametrize("text", ["cups: [1", "\tcups: 1", "- cups", "just text", "cups: 1\n---\ncups: 2"])
def test_what_is_no_mapping_is_bad_input(recipe: Path, text: str) -> None:
    recipe.write_text(text)
    assert complaint("--config", str(recipe)).startswith(f"config file {recipe} ")


def test_a_file_is_data_and_not_code(recipe: Path) -> None:
    recipe.write_text("drink: !!python/object/apply:os.getcwd []")
    assert "cannot be read as YAML" in complaint("--config", str(recipe))


def test_a_file_that_cannot_be_read_is_bad_input(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text("cups: 3")
    near = complaint("--config", str(tmp_path / "recipes.yaml"))
    assert near == f"config file {tmp_path / 'recipes.yaml'} does not exist: did you mean {recipe}?"
    assert "does not exist" in complaint("--config", str(tmp_path / "no" / "such"))
    assert "cannot be read as YAML" in complaint("--config", str(tmp_path))
    recipe.write_bytes(b"drink: caf\xe9")
    assert "cannot be read as YAML" in complaint("--config", str(recipe))


EXAMPLES = [
    brew(),
    brew("--strength=0.7", "--milk=true", "--spices=a,b", "--cups=7"),
    TrainConfig(),
    TrainConfig(learning_rate=2e-5, num_samples=20, trainable_layers=0, remove=(), prefix_cache=False),
    EvaluateConfig(model="runs:/1/model", baseline="models:/news@champion", seed=2**32 - 1),
]


@pytest.mark.parametrize("config", EXAMPLES)
def test_a_config_is_made_again_from_its_text_and_from_its_yaml(config: object) -> None:
    assert build(type(config), as_text(config)) == config
    assert build(type(config), yaml.safe_load(yaml.safe_dump(as_yaml(config)))) == config


def test_text_is_what_would_be_typed() -> None:
    assert as_text(brew("--milk=true")) == {
        "drink": "tea",
        "cups": "2",
        "strength": "auto",
        "milk": "true",
        "spices": "none",
        "for_whom": "Ada",
    }
    logged = as_text(TrainConfig())
    assert (logged["num_samples"], logged["trainable_layers"], logged["learning_rate"]) == (
        "all",
        "all",
        "auto",
    )
    assert as_text(replace(TrainConfig(), learning_rate=0.001))["learning_rate"] == "0.001"


def test_the_help_page_lists_every_option_with_default_and_limits() -> None:
    assert help_text(Brew, "usage: brew") == "\n".join(
        [
            "usage: brew",
            "",
            "options:",
            "  config=<FILE>  (default: none)",
            "      a YAML file of options; those on the command line win over it",
            "  drink=<one of tea, coffee>  (default: tea)",
            "      what to make",
            "  cups=<a whole number from 1 to 12>  (default: 2)",
            "      how many",
            "  strength=<a number of 0.5 or more, or auto>  (default: auto)",
            "      grams a cup",
            "  milk=<true or false>  (default: false)",
            "      with milk",
            "  spices=<a comma-separated list, or none>  (default: none)",
            "      what goes in",
            "  for_whom=<text>  (default: required)",
            "      a name",
        ]
    )


@pytest.mark.parametrize("config_class", [TrainConfig, EvaluateConfig])
def test_every_default_is_within_its_own_limits(config_class: type) -> None:
    for field in fields(config_class):
        assert field.metadata["help"], field.name
        if field.default is not MISSING:
            given = {"model": "m"} if config_class is EvaluateConfig else {}
            text = as_text(config_class(**given))[field.name]
            assert getattr(build(config_class, {**given, field.name: text}), field.name) == field.default


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        TrainConfig().seed = 5  # type: ignore[misc]


@dataclass(frozen=True, kw_only=True)
class Tray:
    """Bring things."""

    things: dict[str, Any] | None = option(None, "what is on it", role="setting")


@pytest.mark.parametrize(
    "typed", ["{cups: 2, tea: [mint, {grams: 1.5}]}", '{"cups": 2, "tea": ["mint", {"grams": 1.5}]}']
)
def test_a_mapping_is_typed_as_yaml_and_read_back_from_its_own_text(typed: str) -> None:
    tray = resolve(Tray, ["--things", typed])
    assert tray.things == {"cups": 2, "tea": ["mint", {"grams": 1.5}]}
    assert resolve(Tray, ["--things", as_text(tray)["things"]]) == tray
    assert build(Tray, as_yaml(tray)) == tray
    assert as_text(Tray()) == {"things": "none"}
    assert build(Tray, {"things": "none"}) == Tray()


@pytest.mark.parametrize("typed", ["cups", "[cups]", "{cups: 2", "3"])
def test_what_is_no_mapping_of_options_is_bad_input(typed: str) -> None:
    with pytest.raises(InputError, match="it must be a `name: value` mapping, or none"):
        resolve(Tray, ["--things", typed])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Weigh."""

    amounts: dict[str, float] | str | None = option(
        None, "grams", role="setting", choices=("equal",), low=0.5, high=100
    )


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("none", None),
        ("equal", "equal"),
        ("{tea: 2, no: 0.5}", {"tea": 2.0, "no": 0.5}),
        ('{"tea": 1e1}', {"tea": 10.0}),
        ("{}", {}),
    ],
)
def test_a_mapping_to_numbers_or_a_word_in_its_place(typed: str, value: object, recipe: Path) -> None:
    got = resolve(Recipe, [f"amounts={typed}"])
    assert got.amounts == value
    assert resolve(Recipe, [f"amounts={as_text(got)['amounts']}"]) == got
    recipe.write_text(f"amounts: {typed}")
    assert resolve(Recipe, [f"config={recipe}"]) == got


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("equals", "it must be a `name: a number from 0.5 to 100` mapping, equal, or none"),
        ("tea=2", "it must be a `name: a number from 0.5 to 100` mapping, equal, or none"),
        ("[tea]", "it must be a `name: a number from 0.5 to 100` mapping, equal, or none"),
        ("{tea: 0}", "option amounts, tea: 0 must be a number from 0.5 to 100"),
        ("{tea: much}", "option amounts, tea: 'much' must be a number from 0.5 to 100"),
        ("{tea: true}", "option amounts, tea: True must be a number from 0.5 to 100"),
        ("{tea: .nan}", "option amounts, tea: nan must be a number from 0.5 to 100"),
        ("{tea: }", "option amounts, tea: None must be a number from 0.5 to 100"),
        ("{tea: {cup: 1}}", "option amounts, tea: {'cup': 1} must be a number from 0.5 to 100"),
        ("{tea: 1, tea: 2}", "(tea is given twice)"),
    ],
)
def test_a_mapping_with_something_else_is_refused(typed: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        resolve(Recipe, [f"amounts={typed}"])


def test_a_mapping_without_a_blank_behind_its_colon_is_told_so() -> None:
    with pytest.raises(InputError, match=r"class_weights, sports:2: .* write a blank behind the colon$"):
        build(TrainConfig, {"class_weights": "{sports:2}"})
