"""report.html in a real browser: from disk, inside MLflow's artifact view, by keyboard, on a phone, in the dark."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from newsclf.drift.over_time import Change
from newsclf.drift.verdict import Verdict
from newsclf.monitoring.alerts import ALERT, Alert
from newsclf.monitoring.state import Record
from newsclf.reports import comparison as comparison_page
from newsclf.reports import stream as stream_page
from newsclf.reports.data import ClassShares, ColumnPair, Histogram, MapPoints, Outlier
from newsclf.reports.profile import MAX_POINTS
from tests.integration.browser import CHROMIUM, Browser
from tests.reports import made

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

HARMFUL = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\" onmouseover='alert(4)' `${alert(5)}`",
    "half a pair \ud800, nul \x00, bell \x07",
    "turned \u202e round \u2067 here \u200f",
    "<!-- <script> \u2028 ]]> {{7*7}} {% x %}",
    "مرحبا بالعالم",
    "w" * 3000,
]
CLASSES = ["World", "</script><b>bold</b>", "Sci/Tech & more", "<img src=x onerror=alert(6)>"]


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("chromium"))
    yield made
    made.close()


def verdict(drifted: bool) -> Verdict:
    unit, moved = "standard deviations", (("words", -0.4),)
    findings = [
        made.finding("quality", False, 0.4, 0.2, unit),
        made.finding("covariate", drifted, 1e-5 if drifted else 0.4, 0.2, unit, moved if drifted else ()),
        made.finding("prior", False, 0.4, 0.2, unit),
        made.finding("concept", None),
        made.finding("performance", False, 0.4, 0.2, unit),
    ]
    says = [dataclasses.replace(one, sentence=f"What {one.kind} says of {HARMFUL[0]}.") for one in findings]
    sentence = f"Drift: the texts are not like the reference's {HARMFUL[2]}." if drifted else "No drift."
    return made.verdict(*says, sentence=sentence)


def histogram(values: np.ndarray) -> Histogram:
    return Histogram.from_quantiles(np.quantile(values, np.linspace(0, 1, 101), method="inverted_cdf").tolist())


@pytest.fixture(scope="module")
def comparison(tmp_path_factory) -> Path:
    random = np.random.default_rng(0)
    count = 300
    texts = [*HARMFUL, *(f"a story number {number} of the Gulf and of oil" for number in range(count - len(HARMFUL)))]
    columns = [
        ColumnPair("tokens", histogram(random.poisson(50, 5000)), histogram(random.poisson(50, 1000)), 0.8, 0.01),
        ColumnPair(
            "words", histogram(random.poisson(40, 5000)), histogram(random.poisson(34, 1000)), 1e-5, -0.4, moved=True
        ),
        ColumnPair(HARMFUL[1], histogram(random.normal(size=5000)), histogram(random.normal(size=900)), 0.5, 0.02),
        ColumnPair("empty", histogram(random.random(5000) < 0.01), histogram(random.random(900) < 0.02), 0.6, 0.01),
    ]
    path = tmp_path_factory.mktemp("comparison") / "report.html"
    comparison_page.write_report(
        path,
        title=f"A batch {HARMFUL[0]}",
        verdict=verdict(True),
        columns=columns,
        class_shares=[ClassShares("labels", CLASSES, [400, 300, 200, 100], [300, 300, 300, 100])],
        points=MapPoints(
            random.normal(size=count).tolist(),
            random.normal(size=count).tolist(),
            [index % 2 == 0 for index in range(count)],
            texts,
            [CLASSES[index % 4] for index in range(count)],
            [float(count - index) for index in range(count)],
        ),
        outliers=[Outlier(text, 9.0, CLASSES[index % 4]) for index, text in enumerate(HARMFUL)],
        facts={"dataset": HARMFUL[2], "rows": 1000, "run": "0f3c9a1b22d84c0c8f7f0f6bb1a2a9d1"},
    )
    return path


@pytest.fixture(scope="module")
def stream(tmp_path_factory) -> Path:
    random = np.random.default_rng(0)
    records = [
        Record(
            number=number,
            name=HARMFUL[number % len(HARMFUL)],
            key="",
            date=f"2026-01-{number:02}T00:00:00+00:00",
            time=f"2026-01-{number:02}T00:00:00+00:00",
            rows=1000,
            numbers={"accuracy": 0.9 - 0.01 * max(0, number - 18), HARMFUL[0]: float(random.normal())},
            verdict=verdict(number > 18).as_dict(),
        )
        for number in range(1, 31)
    ]
    path = tmp_path_factory.mktemp("stream") / "report.html"
    stream_page.write_report(
        path,
        title="A month of news",
        records=records,
        alerts=[
            made.alert("accuracy", 24, "critical", sentence=f"Accuracy 0.84 {HARMFUL[2]}."),
            made.alert("covariate/p_value", 19, sentence="Covariate drift."),
            Alert(HARMFUL[1], "info", ALERT, HARMFUL[0], 20, HARMFUL[3], None, 1.0, None, 0.5, HARMFUL[0]),
        ],
        windows=[made.window(f"new year {HARMFUL[0]}", 3, 6)],
        changes=[Change("sudden", 18, 19, None)],
    )
    return path


@pytest.mark.parametrize("page", ["comparison", "stream"])
def test_it_opens_from_disk_asks_for_nothing_and_draws_every_chart(browser, page, request):
    path = request.getfixturevalue(page)
    browser.open(path.as_uri())
    drawn = browser.draw_all()
    browser.picture(f"{page}-light")
    assert len(drawn) >= 6
    assert set(drawn) == {"yes"}
    assert browser.complaints() == []
    assert browser.requests() == {path.as_uri()}
    empty = "[...document.querySelectorAll('.drawing')].filter(d => d.querySelectorAll('path, text').length < 5).length"
    assert browser.js(empty) == 0


@pytest.mark.parametrize("page", ["comparison", "stream"])
def test_foreign_text_is_text_and_nothing_else(browser, page, request):
    browser.open(request.getfixturevalue(page).as_uri())
    browser.draw_all()
    assert browser.js("document.querySelectorAll('img, b, main script').length") == 0
    assert browser.js("document.querySelectorAll('[onmouseover], [onerror], [onclick]').length") == 0
    shown = browser.js("document.body.innerText")
    for text in (HARMFUL[0], HARMFUL[2]):
        assert text in shown
    assert "\ufffd" in shown or page == "stream"
    assert not any(turning in shown for turning in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\0")
    assert browser.complaints() == []


def test_the_mouse_finds_the_text_behind_a_point(browser, comparison):
    browser.open(comparison.as_uri())
    browser.draw_all()
    marks = "document.querySelectorAll('#map .mark-symbol path')"
    browser.js(f"(() => {{ const m = {marks}; m[m.length - 1].classList.add('wanted'); }})()")
    browser.point_at(".wanted")
    said = browser.until("document.querySelector('#vg-tooltip-element.visible')?.innerText")
    browser.picture("tooltip", whole=False)
    assert said.startswith(("current, ", "reference, "))
    assert "distance" in said
    assert len(said.splitlines()) == 2


def test_harmful_text_in_a_tooltip(browser, comparison):
    browser.open(comparison.as_uri())
    browser.draw_all()
    found = f"""[...document.querySelectorAll('#map .mark-symbol path')].find(mark =>
        (mark.__data__.datum.say || '').includes({HARMFUL[2]!r}))"""
    browser.js(f"{found}.classList.add('harmful')")
    browser.js("document.querySelectorAll('#map .mark-symbol path:not(.harmful)').forEach(m => m.remove())")
    browser.point_at(".harmful")
    browser.until(f"document.querySelector('#vg-tooltip-element.visible')?.innerText.includes({HARMFUL[2]!r})")
    assert browser.js("document.querySelectorAll('img').length") == 0
    assert browser.complaints() == []


def test_the_keyboard_reads_charts_in_order(browser, comparison):
    browser.open(comparison.as_uri())
    browser.draw_all()
    browser.js("document.querySelector('#map').focus()")
    reading = "document.querySelector('#map + output').innerText"
    assert browser.js(reading) == ""
    browser.key("ArrowRight")
    assert browser.until(reading).splitlines()[1] == HARMFUL[0]  # the strangest first
    browser.key("ArrowRight")
    assert browser.until(reading).splitlines()[1] == HARMFUL[1]
    browser.key("End")
    assert "distance 1" in browser.until(reading)
    browser.key("Home")
    browser.until(f"{reading}.includes('distance 300')")
    browser.picture("keyboard")
    browser.key("Escape")
    browser.until(f"{reading} === ''")
    browser.js("document.querySelector('#column-0').focus()")
    browser.key("ArrowRight")
    browser.until("document.querySelector('#column-0 + output').innerText.includes('reference 0')")


def test_the_keyboard_reaches_everything(browser, comparison):
    browser.open(comparison.as_uri())
    browser.draw_all()
    browser.js("document.querySelector('.skip').focus()")  # the first link of the page
    met = []
    for _ in range(60):
        browser.key("Tab")
        met.append(browser.js("document.activeElement.id || document.activeElement.tagName.toLowerCase()"))
        if met[-1] == "body":
            break
    assert {"column-0", "column-1", "column-2", "column-3", "classes-0", "map", "summary", "input"} <= set(met)
    assert browser.js("document.querySelectorAll('[aria-hidden=true] :is(a, input, [tabindex])').length") == 0
    names = browser.js("[...document.querySelectorAll('.chart, .scroll')].map(e => e.getAttribute('aria-label'))")
    assert all(names)
    assert names[0].startswith("words: reference median 40")  # what moved comes first


@pytest.mark.parametrize("page", ["comparison", "stream"])
def test_on_a_phone_in_the_dark(browser, page, request):
    path = request.getfixturevalue(page).as_uri()
    browser.open(path)
    background = "getComputedStyle(document.body).backgroundColor"
    light = browser.js(background)
    browser.open(path, width=390, height=844, dark=True, mobile=True)
    browser.draw_all()
    browser.picture(f"{page}-phone-dark")
    assert browser.js("document.documentElement.scrollWidth") == 390
    assert browser.js(background) != light
    ink = "getComputedStyle(document.querySelector('.drawing .role-axis-label text')).fill"
    assert browser.js(ink) == "rgb(163, 175, 190)"  # a variable of the dark colours, in a chart
    wide = "[...document.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().right > 390).length"
    assert browser.js(wide) == 0


def test_fingers_scroll_the_page_and_tap_the_points(browser, comparison):
    browser.open(comparison.as_uri(), width=390, height=844, mobile=True)
    browser.draw_all()
    first = "document.querySelector('#map .mark-symbol path').getAttribute('transform')"
    place = browser.js(first)
    resting = "new Promise(done => { const was = scrollY; setTimeout(() => done(scrollY === was), 300); })"
    for chart in ("#column-1", "#map"):
        browser.js(f"document.querySelector('{chart}').scrollIntoView({{behavior: 'instant'}})")
        browser.until(resting)
        before = browser.js("scrollY")
        for _ in range(5):  # on a busy machine the first finger may come before the page knows where it has scrolled to
            browser.touch("touchStart", 195, 100)
            for y in range(90, 0, -10):
                browser.touch("touchMove", 195 + y / 4, y)
                time.sleep(0.02)  # a finger, not a jump
            browser.touch("touchEnd")
            browser.until(resting)  # a tap would only stop the page's run
            if browser.js("scrollY") > before + 50:
                break
        assert browser.js("scrollY") > before + 50
    assert browser.js(first) == place  # the swipe has moved the page and not the map
    browser.js("document.querySelector('#map').scrollIntoView({behavior: 'instant'})")
    browser.until(resting)
    mark = "document.querySelectorAll('#map .mark-symbol path')[40].getBoundingClientRect()"
    x, y = browser.js(f"[{mark}.x + {mark}.width / 2, {mark}.y + {mark}.height / 2]")
    browser.touch("touchStart", x, y)
    browser.touch("touchEnd")
    browser.until("document.querySelector('#map + output').innerText.includes('distance')")


def test_without_scripts_the_sentences_and_tables_are_there(browser, comparison):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(comparison.as_uri())
        browser.picture("no-scripts")
        shown = browser.js("document.body.innerText")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "The charts need scripts" in shown
    assert "Drift: the texts are not like" in shown


@pytest.fixture(scope="module")
def in_mlflow(place, comparison, stream) -> Callable[[str], str]:
    """`in_mlflow("stream")`: the URL at which MLflow's UI shows the page, as an artifact of a run."""
    folder = place.folder / "server"
    folder.mkdir()
    stores = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}", "--serve-artifacts")
    artifacts = ("--artifacts-destination", folder / "artifacts")
    server = place.serve("mlflow", "server", *stores, *artifacts, ready="/health", MLFLOW_TRACKING_URI=None)
    client = MlflowClient(server)
    run = client.create_run("0").info.run_id
    client.log_artifact(run, str(comparison), "comparison")
    client.log_artifact(run, str(stream), "stream")
    return lambda page: f"{server}/#/experiments/0/runs/{run}/artifacts/{page}/report.html"


@pytest.mark.parametrize("page", ["comparison", "stream"])
def test_in_the_artifact_view_of_mlflow(browser, in_mlflow, page):
    browser.open(in_mlflow(page), width=1500)
    assert browser.until("document.querySelector('iframe')?.sandbox.value") == "allow-scripts"
    browser.until("document.querySelector('iframe').src.startsWith('blob:')")
    with browser.inside_the_frame():
        browser.until("document.readyState === 'complete' && document.querySelector('main') !== null")
        assert browser.js("[location.protocol, self.origin]") == ["blob:", "null"]
        assert set(browser.draw_all()) == {"yes"}
        first = browser.js("document.querySelector('nav a').hash")
        browser.js("document.querySelector('nav a').click()")
        browser.until(f"Math.abs(document.querySelector('{first}').getBoundingClientRect().top) < 60")
        browser.js("document.querySelector('.chart').focus()")
        browser.key("ArrowRight")
        browser.until("document.querySelector('.chart + output').innerText !== ''")
        complaints = [e for e in browser.complaints() if e.get("sessionId") == browser.session]
        assert complaints == []
    browser.picture(f"{page}-mlflow", whole=False)


def test_the_page_of_a_large_sample_is_small_enough(tmp_path):
    many = 2 * MAX_POINTS
    random = np.random.default_rng(0)
    points = MapPoints(
        random.normal(size=many).tolist(),
        random.normal(size=many).tolist(),
        [index < MAX_POINTS for index in range(many)],
        ["京" * 3000] * many,
        ["World"] * many,
        random.random(many).tolist(),
    )
    columns = [
        dataclasses.replace(ColumnPair("c", histogram(random.normal(size=999)), None), name=f"c{n}") for n in range(60)
    ]
    comparison_page.write_report(tmp_path / "report.html", title="large", columns=columns, points=points)
    assert (tmp_path / "report.html").stat().st_size < 5_000_000
