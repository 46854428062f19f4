"""MLflow's pages through the proxy in a real browser, after login: runs, two runs compared, a report."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from tests.integration.browser import CHROMIUM, Browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
RESPONSE = "Network.responseReceived"
TEXT = "document.body.innerText"


def trusted(stack) -> str:
    """The flag that lets Chromium trust the proxy's own authority, and no other."""
    certificate = load_pem_x509_certificate((stack.ca.parent / "intermediate.crt").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(hashlib.sha256(key).digest()).decode()}"


@pytest.fixture(scope="module")
def browser(native_only, stack, tmp_path_factory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("chromium"), trusted(stack))
    try:
        name, password = stack.admin
        made.open(stack.uri.replace("https://", f"https://{name}:{password}@"))
        yield made
    finally:
        made.close()


@pytest.fixture
def runs(trained_on_stack, evaluated_on_stack, profiled_on_stack) -> list[str]:
    """Two to compare, one with a report."""
    return [trained_on_stack, evaluated_on_stack, profiled_on_stack]


def test_a_stranger_sees_no_page(native_only, stack, tmp_path):
    stranger = Browser(tmp_path / "chromium", trusted(stack))
    try:
        stranger.open(stack.uri)
        received = [event["params"]["response"] for event in stranger.events if event["method"] == RESPONSE]
        assert {response["status"] for response in received} == {401}
        assert stranger.js(TEXT) == ""
    finally:
        stranger.close()


def test_the_run_table(stack, browser, runs, on_stack):
    names = [on_stack.get_run(run).info.run_name for run in runs]
    browser.open(f"{stack.uri}/#/experiments/0/runs")
    for name in names:
        browser.until(f"{TEXT}.includes({name!r})")
    browser.picture("stack-runs", whole=False)


def test_two_runs_are_compared_with_plots(stack, browser, runs):
    chosen = f'["{runs[0]}","{runs[1]}"]'
    browser.open(f'{stack.uri}/#/compare-runs?runs={chosen}&experiments=["0"]'.replace('"', "%22"), height=2000)
    browser.until(f"{TEXT}.includes('accuracy')")
    browser.until("document.querySelectorAll('.js-plotly-plot .main-svg, canvas').length > 0")
    browser.picture("stack-compare", whole=False)


def test_the_figures_of_a_run_are_drawn(stack, browser, runs):
    browser.open(f"{stack.uri}/#/experiments/0/runs/{runs[0]}/model-metrics", height=1600)
    browser.until(f"{TEXT}.includes('test_precision')")
    browser.until("document.querySelectorAll('.js-plotly-plot .main-svg').length > 3")
    browser.picture("stack-figures", whole=False)


def test_a_report_is_shown_among_the_artifacts(stack, browser, runs):
    browser.open(f"{stack.uri}/#/experiments/0/runs/{runs[2]}/artifacts/report.html", height=1400)
    with browser.inside_the_frame():
        browser.until("document.querySelectorAll('.chart').length > 0")
        assert "failed" not in browser.draw_all()
    browser.picture("stack-report", whole=False)
