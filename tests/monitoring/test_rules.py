import math
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from newsclf.config import MonitorConfig
from newsclf.config.options import resolve
from newsclf.errors import InputError
from newsclf.monitoring import rules
from newsclf.monitoring.rules import Band, check_numbers, parse_monitors, parse_windows

KINDS = ("quality", "covariate", "prior", "concept", "performance")
ROOT = Path(rules.__file__).parents[2]
WINDOWS = parse_windows([{"name": "launch", "from": "2026-01-01", "to": "2026-01-07"}])


def parse(text: str) -> rules.Monitor:
    (monitor,) = parse_monitors([yaml.safe_load(text)], WINDOWS, KINDS, min_rows=50)
    return monitor


def test_what_the_module_shows_as_an_example_is_valid():
    text = (rules.__doc__ or "").split("\n\n")[1]
    example = yaml.safe_load("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    windows = parse_windows(example["windows"])
    assert windows[0].end == datetime(2026, 1, 8, tzinfo=UTC)
    monitors = parse_monitors(example["monitors"], windows, KINDS, 50)
    assert len(monitors) == 8
    assert (monitors[0].low, monitors[0].high, monitors[0].in_a_row, monitors[0].min_rows) == (80, math.inf, 2, 200)


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "monitors").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_example_files_are_valid_and_say_how_to_run_them(path):
    config = resolve(MonitorConfig, ["--config", str(path), "--stream", "s", "--reference", "r"])
    windows = parse_windows(config.windows)
    assert len(parse_monitors(config.monitors, windows, KINDS, config.min_rows)) >= 3
    assert f"# newsclf monitor config={path.relative_to(ROOT)} " in path.read_text()


def test_monitors_may_be_typed_as_yaml():
    config = resolve(MonitorConfig, ["--stream=s", "--reference=r", "--monitors=[{verdict: any}, {verdict: prior}]"])
    assert config.monitors == ({"verdict": "any"}, {"verdict": "prior"})
    for wrong in ("{verdict: any}", "[any]", "[{", "3"):
        with pytest.raises(InputError, match="must be a list of `name: value` mappings, or none"):
            resolve(MonitorConfig, ["--stream=s", "--reference=r", f"--monitors={wrong}"])


@pytest.mark.parametrize(
    ("text", "number", "low", "high"),
    [
        ("{number: characters/mean, below: 80}", "characters/mean", 80, math.inf),
        ("{number: characters/mean, above: 80 characters}", "characters/mean", -math.inf, 80),
        ("{number: characters/mean, range: [80, 1e3]}", "characters/mean", 80, 1000),
        ("{number: words/median, above: 9.5, below: 3 words}", "words/median", 3, 9.5),
        ("{number: empty_share, above: 2 %}", "empty_share", -math.inf, 0.02),
        ("{number: accuracy, below: 85%}", "accuracy", 0.85, math.inf),
        ("{number: covariate/p_value, p_value: 0.001}", "covariate/p_value", 0.001, math.inf),
        ("{number: direction_1/mean, below: -1.5}", "direction_1/mean", -1.5, math.inf),
        ("{verdict: concept}", "concept/drifted", -math.inf, 0.5),
        ("{verdict: any}", "drifted", -math.inf, 0.5),
    ],
)
def test_fixed_limits(text, number, low, high):
    monitor = parse(text)
    assert (monitor.number, monitor.low, monitor.high, monitor.band) == (number, low, high, None)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("{first: 10, sd: 3}", Band(first=10, sd=3)),
        ("{trailing: 5, quantiles: [0.05, 0.95], side: above}", Band(trailing=5, quantiles=(0.05, 0.95), side="above")),
        ("{window: launch, sd: 2.5, side: below}", Band(window="launch", sd=2.5, side="below")),
    ],
)
def test_bands(text, band):
    assert parse(f"{{number: words/mean, band: {text}}}").band == band


def test_defaults_and_names():
    monitor = parse("{number: words/mean, below: 3}")
    assert (monitor.name, monitor.severity, monitor.in_a_row, monitor.min_rows) == (
        "words/mean below 3", "warning", 1, 50,
    )  # fmt: skip
    assert [parse(f"{{number: {name}, below: 3}}").min_rows for name in ("rows", "enough_data")] == [0, 0]
    assert parse("{number: rows, below: 3, min_rows: 7}").min_rows == 7
    assert parse("{verdict: prior}").name == "prior drift"
    assert parse("{number: words/mean, band: {first: 3, sd: 1}}").name == "words/mean outside its band"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{numbr: words/mean, below: 3}", "monitor 1: unknown key numbr: did you mean number?"),
        ("{name: n, below: 3}", 'monitor "n" must have either number or verdict'),
        ("{number: words/mean, verdict: any}", "must have either number or verdict"),
        ("{number: words/mean}", "must have one of above/below, range, p_value, band; it has 0 of them"),
        ("{number: words/mean, below: 3, range: [1, 2]}", "it has 2 of them"),
        ("{verdict: covariat}", "unknown verdict covariat: did you mean covariate?"),
        ("{verdict: any, above: 1}", "watches a verdict, which is drift or not: above/below goes with number"),
        (
            "{number: words/mean, below: 3, severity: fatal}",
            "unknown severity fatal: there are info, warning, critical",
        ),
        ("{number: words/mean, below: 3, severity: critcal}", "did you mean critical?"),
        ("{number: words/mean, below: lots}", "below is 'lots': it must be a number"),
        ("{number: words/mean, below: true}", "below is True: it must be a number"),
        ("{number: words/mean, below: 3 %}", 'words/mean has no unit "%"; it is in words'),
        ("{number: characters/mean, below: 3 words}", 'characters/mean has no unit "words"; it is in characters'),
        ("{number: empty_share, above: 5}", "empty_share is from 0 to 1; 5 % is written 5 %"),
        ("{number: empty_share, above: 120 %}", "empty_share is from 0 to 1"),
        ("{number: empty_share, above: 3 words}", "it is 0 to 1, or written with %"),
        ("{number: entropy/mean, above: 3 bits}", "it is without a unit"),
        ("{number: covariate/p_value, p_value: 5}", "covariate/p_value is from 0 to 1"),
        ("{number: words/mean, p_value: 0.01}", "p_value goes with a number that is one"),
        ("{number: words/mean, range: [3]}", "range must be [low, high]"),
        ("{number: words/mean, range: [3, 1]}", "no value lies between 3 and 1"),
        ("{number: words/mean, below: 3, in_a_row: 0}", "in_a_row is 0: it must be a whole number of 1 or more"),
        ("{number: words/mean, below: 3, min_rows: many}", "min_rows is 'many': it must be a whole number"),
        ("{number: words/mean, band: 3}", "band must be a mapping"),
        ("{number: words/mean, band: {first: 3, sd: 1, wide: 2}}", "band: unknown key wide"),
        ("{number: words/mean, band: {sd: 1}}", "must have one of first, trailing, window"),
        ("{number: words/mean, band: {first: 3, trailing: 3, sd: 1}}", "must have one of first, trailing, window"),
        ("{number: words/mean, band: {first: 3}}", "must have either sd or quantiles"),
        ("{number: words/mean, band: {first: 1, sd: 1}}", "first is 1: it must be a whole number of 2 or more"),
        ("{number: words/mean, band: {first: 3, sd: 0}}", "sd is 0: it must be above 0"),
        ("{number: words/mean, band: {first: 3, quantiles: [0.9, 0.1]}}", "0 <= low < high <= 1"),
        ("{number: words/mean, band: {first: 3, sd: 1, side: up}}", "unknown side up"),
        ("{number: words/mean, band: {window: lunch, sd: 1}}", "there is no window lunch: did you mean launch?"),
    ],
)
def test_what_is_wrong_is_told(text, says):
    with pytest.raises(InputError) as error:
        parse(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_two_monitors_of_one_name():
    with pytest.raises(InputError, match='two monitors have the name "any"'):
        parse_monitors([{"name": "any", "verdict": "any"}, {"name": "any", "verdict": "prior"}], (), KINDS, 50)


def test_numbers_are_checked_with_the_nearest():
    monitors = [parse("{name: short, number: charcters/mean, below: 3}")]
    with pytest.raises(
        InputError, match='monitor "short": no batch has the number charcters/mean: did you mean charac'
    ):
        check_numbers(monitors, ["characters/mean", "words/mean"])
    check_numbers([parse("{verdict: any}")], ["drifted"])


@pytest.mark.parametrize(
    ("begin", "end", "inside", "outside"),
    [
        ("2026-01-01", "2026-01-01", "2026-01-01T23:59:59+00:00", "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 1), date(2026, 1, 2), "2026-01-02T12:00:00+00:00", "2025-12-31T23:59:59+00:00"),
        ("2026-01-01T06:00:00", "2026-01-01T07:00:00", "2026-01-01T06:00:00+00:00", "2026-01-01T07:00:00+00:00"),
        ("2026-01-01T06:00+01:00", "2026-01-01T07:00Z", "2026-01-01T05:00:00+00:00", "2026-01-01T04:59:59+00:00"),
    ],
)
def test_windows(begin, end, inside, outside):
    (window,) = parse_windows([{"from": begin, "to": end}])
    assert window.name == "window 1"
    assert window.holds(datetime.fromisoformat(inside))
    assert not window.holds(datetime.fromisoformat(outside))
    assert not window.holds(None)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"from": "2026-01-01"}, "window 1 has no to"),
        ({"from": "31/12/2025", "to": "2026-01-01"}, 'window 1: from: "31/12/2025" is no date'),
        ({"from": 20260101.5, "to": "2026-01-01"}, "is no date"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "window 1 ends (2026-01-01) before it begins (2026-01-02)"),
        ({"from": "2026-01-01", "until": "2026-01-01"}, "unknown key until"),
    ],
)
def test_windows_that_are_wrong(entry, says):
    with pytest.raises(InputError) as error:
        parse_windows([entry])
    assert says in str(error.value)
