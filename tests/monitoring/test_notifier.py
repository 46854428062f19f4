"""The URLs of those who are told are secrets: no message repeats them."""

import pytest

from newsclf.errors import InputError
from newsclf.monitoring.notifier import DEFAULT_VARIABLE, Notifier, notification_urls


@pytest.mark.parametrize("url", ["nonsense", "foo://token@host", "json://"])
def test_a_url_that_apprise_does_not_know_is_not_repeated(url):
    with pytest.raises(InputError, match="URL 2 in \\$URLS is none that apprise knows") as error:
        Notifier(["json://127.0.0.1", url], "$URLS")
    assert "token" not in str(error.value)


def test_urls_are_the_words_of_the_variable(monkeypatch):
    monkeypatch.delenv(DEFAULT_VARIABLE, raising=False)
    assert notification_urls(DEFAULT_VARIABLE) == []
    monkeypatch.setenv("MINE", " json://one  json://two ")
    assert notification_urls("MINE") == ["json://one", "json://two"]
    monkeypatch.delenv("MINE")
    with pytest.raises(InputError, match="option notify is MINE: this environment variable is not set"):
        notification_urls("MINE")
