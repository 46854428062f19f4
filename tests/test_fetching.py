"""What a dry run does not fetch: built-in data sets and encoders alike (tests/integration/test_dry_run.py)."""

import pytest

from newsclf.fetching import NotFetched, fetching_allowed, may_fetch, nothing_fetched


def test_a_dry_run_names_what_would_be_fetched() -> None:
    may_fetch("ag_news")
    with nothing_fetched():
        assert not fetching_allowed()
        with pytest.raises(NotFetched, match="^ag_news is not on this machine yet and would be fetched first$"):
            may_fetch("ag_news")
    assert fetching_allowed()
