"""What the charts have in common."""

from newsclf.reports.vega import by, chart, short


def test_numbers_are_as_long_as_the_eye_sees() -> None:
    assert [short(value) for value in (0.123456789, 1234567.0, -1.0)] == [0.12346, 1234600.0, -1.0]


def test_every_chart_has_its_rows_and_the_chosen_one() -> None:
    spec = chart([{"mark": "point"}], [{"i": 0}], height=30, params=[{"name": "names", "value": ["a"]}])
    assert spec["datasets"] == {"rows": [{"i": 0}]}
    assert [param["name"] for param in spec["params"]] == ["chosen", "names"]
    assert spec["usermeta"] == {"of_batches": False}


def test_a_state_that_has_no_value_gets_none() -> None:
    assert by("side", {"a": "red"}) == {"condition": [{"test": "datum.side === 'a'", "value": "red"}], "value": None}
