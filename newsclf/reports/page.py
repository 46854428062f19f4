"""A report's file: a template filled in, with styles, scripts and data inside, written whole or not at all.

It opens from disk and in MLflow's artifact view, with all it needs inside and no network. MLflow 3 shows an HTML
artifact as a blob in `<iframe sandbox="allow-scripts">`: scripts run, but the page has no origin, so storage, cookies,
forms and pop-ups fail. The page uses none of them. Where no script runs at all, the sentences and the tables, which
hold the charts' numbers, are still there.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from newsclf.files import in_one_step
from newsclf.reports import vega
from newsclf.reports.wording import clean

TEMPLATES = Path(__file__).parent / "templates"
MAX_TEXT = 300  # characters


def write(
    path: Path | str,
    template: str,
    *,
    title: str,
    sentence: str,
    state: str = "",
    badge: str = "",
    facts: Mapping[str, object] | None = None,
    charts: Mapping[str, vega.Spec] | None = None,
    shared: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Fill in `template`, which extends base.html.jinja and takes `values` besides what every page has.

    sentence: the finding; state: its colour, as in page.css; badge: a word or two before it; "" for none of them.
    facts: what the reader has to know of the data, in order. charts: by the ids that their frames have; shared: what
    the page's script gives to all charts of batches.
    """
    page = (
        _environment()
        .get_template(template)
        .render(
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            own_script=Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),
            library=Markup(vega.script()),
            data=Markup(_json({"charts": charts or {}, "shared": shared or {}})),
            title=clean(title, 200),
            headline={"state": state, "badge": badge, "sentence": clean(sentence, 1500)},
            facts=[(clean(name, 60), clean(value, MAX_TEXT)) for name, value in (facts or {}).items()],
            **values,
        )
    )
    with in_one_step(Path(path)) as unfinished:
        unfinished.write_text(page, encoding="utf-8", newline="\n")


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _json(value: Any) -> str:
    """JSON that may stand in a <script> element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
