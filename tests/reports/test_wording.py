"""Numbers are short, and foreign text can be shown."""

from newsclf.reports.wording import DASH, clean, number, p_value, percent, verdict_badge


def test_foreign_text_is_cleaned() -> None:
    assert clean(None, 10) == clean(float("nan"), 10) == ""
    assert clean(" a\n\tb\u2028c ", 10) == "a b c"
    assert clean("\ud800\x00\ufffe", 10) == "\ufffd" * 3
    assert clean("a\u202eb\u2067c\u200fd", 10) == "abc\u200fd"
    assert clean("abcdef", 6) == "abcdef"
    assert clean("abcdefg", 6) == "abcde…"


def test_numbers_are_short() -> None:
    given = (None, float("inf"), 0.12345, -3, 12345.6)
    assert [number(value) for value in given] == [DASH, DASH, "0.123", "\u22123", "12,346"]
    assert [p_value(value) for value in (None, 0.00099, 0.05, 1)] == [DASH, "< 0.001", "0.050", "1.000"]
    assert [percent(value) for value in (None, 0, 0.00123, 0.5)] == [DASH, "0.0 %", "0.123 %", "50.0 %"]


def test_a_whole_verdict_without_data_says_so() -> None:
    states = ("drift", "no drift", "not judged")
    assert [verdict_badge(state) for state in states] == ["▲ drift", "● no drift", "○ not enough data"]
