import pytest

from newsclf.messages import did_you_mean, listed, nearest, one_line


@pytest.mark.parametrize(
    ("thing", "line"),
    [
        ("  a\n\tb  c ", "a b c"),
        (ValueError("no\nfile"), "no file"),
        ("x" * 11, "xxxxxxx..."),
        ("x" * 10, "x" * 10),
        ("caf\ud800", "caf\\ud800"),
        (None, "None"),
    ],
)
def test_anything_becomes_one_short_line(thing: object, line: str) -> None:
    assert one_line(thing, 10) == line


def test_a_megabyte_is_cut_before_it_is_read() -> None:
    assert one_line(" " * 3_000 + "late") == ""
    assert len(one_line("word " * 1_000_000)) == 120


def test_a_list_says_how_many_more_there_are() -> None:
    assert listed([]) == ""
    assert listed(["a", 2, "c\nd"]) == "a, 2, c\\nd"
    assert listed(range(5), limit=3) == "0, 1, 2 and 2 more"


def test_the_nearest_name() -> None:
    assert nearest("EPOCH", ["epochs", "seed"]) == "epochs"
    assert nearest("quux", ["epochs", "seed"]) == ""
    assert did_you_mean("lable", ["text", "label"]) == '; did you mean "label"?'
    assert did_you_mean("quux", ["text", "label"]) == ""
