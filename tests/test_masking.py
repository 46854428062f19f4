"""Passwords in addresses, wherever a text quotes them.

They come into texts by MLFLOW_TRACKING_URI (printed, in errors of MLflow, urllib3, requests and SQLAlchemy, in links of
reports, in files of the journal), and by the addresses that other variables hold.
"""

import pytest

from newsclf.masking import known_secrets, masked, secrets_of

ADDRESSES = {
    f"https://ann:{'pass'}@host/x": ("https://ann:***@host/x", {"pass"}),
    f"https://ann:{'p%40ss'}@host": ("https://ann:***@host", {"p%40ss"}),
    f"https://ann:{'p@ss'}@host/x": ("https://ann:***@host/x", {"p@ss"}),
    f"postgresql+psycopg2://ann:{'p/ss'}@host/db": ("postgresql+psycopg2://ann:***@host/db", {"p/ss"}),
    "https://t0ken@host": ("https://***@host", {"t0ken"}),
    "https://t0ken:@host": ("https://***@host", {"t0ken"}),
    f"https://:{'pass'}@host": ("https://:***@host", {"pass"}),
    f"http://ann:{'pass'}@[::1]:5000/": ("http://ann:***@[::1]:5000/", {"pass"}),
    "https://host/?token=abc&page=2": ("https://host/?token=***&page=2", {"abc"}),
    "https://host/x?X-Amz-Signature=abc": ("https://host/x?X-Amz-Signature=***", {"abc"}),
    "mysql://ann@host/db?ssl_password=abc": ("mysql://ann@host/db?ssl_password=***", {"abc"}),
}
HARMLESS = (
    "http://127.0.0.1:5000/#/experiments/0/runs/1",
    "mysql+pymysql://ann@host/db",
    "models:/newsclf@champion",
    "http://host:5000/a, then models:/newsclf@champion",
    "https://host:5000/a@b",
    "sqlite:////data/a b/runs.db",
    "ann@host: it's 5:30",
)


@pytest.mark.parametrize("uri", ADDRESSES)
def test_an_address_is_shown_without_its_secret(uri: str) -> None:
    shown, secrets = ADDRESSES[uri]
    assert masked(uri) == shown
    assert secrets_of(uri) == secrets
    assert masked(f"cannot parse '{uri}' (see {uri}), ") == f"cannot parse '{shown}' (see {shown}), "
    assert masked(shown) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_has_no_secret_stays(text: str) -> None:
    assert masked(text) == text
    assert secrets_of(text) == set()


def test_what_the_environment_keeps_is_masked_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://ann:{'p%40ss%2Fw0rd'}@host")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0ken-of-mine")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://[no address")
    said = "login p@ss/w0rd, p%40ss%2Fw0rd refused; Bearer t0ken-of-mine"
    assert masked(said) == "login ***, *** refused; Bearer ***"


def test_a_password_that_is_a_word_is_masked_in_addresses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://ann:{'mlflow'}@host")
    assert masked(f"mlflow run . at https://ann:{'mlflow'}@host") == "mlflow run . at https://ann:***@host"
    assert "mlflow" not in known_secrets()
