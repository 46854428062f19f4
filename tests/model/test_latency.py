"""The clock of these tests is moved by the models themselves."""

import pytest

from newsclf.model import latency
from newsclf.model.latency import WARM_UP, median_milliseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])
    return now


def test_each_text_alone_and_the_first_ones_do_not_count(clock: list[float]) -> None:
    asked: list[tuple[int, list[str]]] = []

    def model(number: int, seconds: float) -> object:
        def predict(texts: list[str]) -> None:
            asked.append((number, texts))
            calls = sum(who == number for who, _ in asked)
            clock[0] += seconds if calls > WARM_UP else 60

        return predict

    texts = [f"text {number}" for number in range(9)]
    assert median_milliseconds([model(0, 0.002), model(1, 0.004)], texts) == pytest.approx([2, 4])  # type: ignore[list-item]
    assert all(len(one) == 1 for _, one in asked)
    assert [one for who, one in asked if who == 0] == [[text] for text in [*texts[:WARM_UP], *texts]]
    assert [who for who, _ in asked][:4] == [0, 1, 1, 0], "they take turns in who begins"


def test_of_few_texts_all_are_asked_twice(clock: list[float]) -> None:
    assert median_milliseconds([lambda texts: None], ["a"]) == [0]
