import pytest

from newsclf.features.terms import around, document_frequencies, first_with, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", set()),
        (" \n\u00a0", set()),
        ("Oil oil", {"Oil", "oil", "Oil oil"}),
        ("AP - Oil", {"AP", "-", "Oil", "AP -", "- Oil"}),
        ("...", {"."}),
        ("3.5%", {"3", ".", "5", "%", "3 .", ". 5", "5 %"}),
        ("caf\u00e9 \U0001f600", {"caf\u00e9", "\U0001f600", "caf\u00e9 \U0001f600"}),
        ("a\ud800b", {"a", "\ud800", "b", "a \ud800", "\ud800 b"}),
    ],
)
def test_words_signs_and_neighbours_are_terms(text: str, terms: set[str]) -> None:
    assert terms_of(text) == terms


def test_a_text_counts_once() -> None:
    found = document_frequencies(["oil oil oil", "gas oil", ""])
    assert (found["oil"], found["gas"], found["oil oil"], found["coal"]) == (2, 1, 1, 0)


def test_the_first_texts_with_a_term_are_found() -> None:
    texts = ["gas", "oil", "boiling oil", "soil", "oil (Reuters)", "oil"]
    assert first_with("oil", texts, 3) == [1, 2, 4]
    assert first_with("( Reuters", texts, 3) == [4]
    assert first_with("coal", texts, 3) == []


def test_a_term_is_shown_among_its_neighbours() -> None:
    assert around("oil", "oil rises") == "oil rises"
    assert around("( Reuters", "Prices rise (Reuters) today", 5) == "...rise (Reuters) toda..."
    assert around("oil", "x" * 100 + " oil " + "y" * 100, 3) == "...xx oil yy..."
