"""What is no text is refused before MLflow makes one of it. By a real server: integration/test_serving.py.

The kind: a request that is not what docs/serve.md asks for. Its places: the bytes, the JSON, the form, the values.
"""

import json
from typing import Any

import pytest

from newsclf.serving import payload
from newsclf.serving.payload import NoTexts, read_json


def body(values: Any) -> bytes:
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    "asked",
    [
        {"instances": ["a", "b"]},
        {"instances": [{"text": "a"}]},
        {"instances": [["a"]]},
        {"inputs": "a"},
        {"inputs": {"text": ["a", "b"]}},
        {"inputs": {"text": "a"}},
        {"dataframe_split": {"columns": ["text"], "data": [["a"]]}},
        {"dataframe_split": {"columns": ["text"], "data": []}},
        {"dataframe_split": {"columns": ["text", "id"], "data": [["a", 1]]}},
        {"dataframe_records": [{"text": "a", "id": 3, "more": None}]},
        {"dataframe_records": [{"headline": 1}]},
        {"dataframe_split": {"columns": ["text"], "data": [["\ud83d"]]}},
    ],
    ids=str,
)
def test_texts_are_passed_on_as_they_are(asked: dict[str, Any]) -> None:
    assert read_json(body(asked)) == asked
    assert read_json(body({**asked, "params": {}, "signature_name": "serving_default"})) == asked


NO_TEXT: dict[str, Any] = {"number": 1, "float": 1.5, "null": None, "NaN": float("nan"), "true": True, "list": [["a"]]}


@pytest.mark.parametrize("value", NO_TEXT.values(), ids=list(NO_TEXT))
@pytest.mark.parametrize(
    "form",
    [
        lambda value: {"instances": ["a", value]},
        lambda value: {"instances": [{"text": "a"}, {"text": value}]},
        lambda value: {"instances": [["a"], [value]]},
        lambda value: {"inputs": ["a", value]},
        lambda value: {"inputs": {"text": ["a", value]}},
        lambda value: {"dataframe_split": {"columns": ["text"], "data": [["a"], [value]]}},
        lambda value: {"dataframe_records": [{"text": "a"}, {"text": value}]},
    ],
    ids=range(7),
)
def test_what_is_no_text_is_named_with_its_row(form: Any, value: Any) -> None:
    with pytest.raises(NoTexts, match=r"^row 1 is (a number|null|true or false|a list), not text$"):
        read_json(body(form(value)))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (b"", "no JSON"),
        (b"no json", "no JSON"),
        (b'{"instances": ["a"]', "no JSON"),
        (b'{"instances": ["\xff"]}', "no JSON"),
        (b'{"instances": ["a"], "instances": ["b"]}', 'key "instances" stands twice'),
        (b'{"dataframe_records": [{"text": "a", "text": "b"}]}', 'key "text" stands twice'),
        (b"[" * 50_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"[" * 50_000 + b"]" * 50_000, "nested too deeply"),
        (b'{"instances": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
        (b"{}", "one of instances, inputs"),
        (b"[]", "one of instances, inputs"),
        (b'"a"', "one of instances, inputs"),
        (b"null", "one of instances, inputs"),
        (b'{"messages": [{"role": "user", "content": "a"}]}', "one of instances, inputs"),
        (b'{"instances": ["a"], "inputs": ["a"]}', "one of instances, inputs"),
        (b'{"instances": []}', "instances is empty"),
        (b'{"inputs": []}', "inputs is empty"),
        (b'{"inputs": {}}', "inputs is empty"),
        (b'{"dataframe_records": []}', "dataframe_records is empty"),
        (b'{"instances": ["a"], "params": {"top_k": 3}}', "takes none"),
        (b'{"instances": ["a"], "params": 3}', "takes none"),
        (b'{"instances": 3}', "row 0 is a number"),
        (b'{"instances": ["1' + b"1" * 5000 + b'", 1' + b"1" * 5000 + b"]}", "no JSON"),
    ],
    ids=lambda given: str(given)[:50],
)
def test_what_cannot_be_answered_gets_a_short_sentence(asked: bytes, sentence: str) -> None:
    with pytest.raises(NoTexts, match=sentence) as caught:
        read_json(asked)
    assert len(str(caught.value)) < 250


def test_a_body_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MAX_BYTES", 30)
    read_json(body({"instances": ["a" * 10]}))
    with pytest.raises(NoTexts, match="at most 30"):
        read_json(b"[" * 31)
