"""The report's file: the template filled in, with styles, scripts and data inside, written whole or not at all."""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.profiling import charts
from newsclf.profiling.wording import clean

TEMPLATES = Path(__file__).parent / "templates"
MAX_TEXT = 300  # characters
STATES = {True: "drift", False: "no drift", None: "not judged"}
BADGES = {"drift": "▲ drift", "no drift": "● no drift", "not judged": "○ cannot be judged"}


def verdict_badge(state: str) -> str:
    """A whole verdict lacks data where a kind of drift cannot be judged."""
    return "○ not enough data" if state == "not judged" else BADGES[state]


def facts_of(facts: Mapping[str, object] | None) -> list[tuple[str, str]]:
    return [(clean(name, 60), clean(value, MAX_TEXT)) for name, value in (facts or {}).items()]


@functools.cache
def _environment() -> Any:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def write(path: Path | str, template: str, specs: Mapping[str, Any], shared: Mapping[str, Any], **values: Any) -> None:
    from markupsafe import Markup

    page = (
        _environment()
        .get_template(template)
        .render(
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            own_script=Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),
            library=Markup(charts.script()),
            data=Markup(_json({"charts": specs, "shared": shared})),
            **values,
        )
    )
    _replace(Path(path), page)


def _json(value: Any) -> str:
    """JSON that may stand in a <script> element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escape)
    return text


def _replace(path: Path, page: str) -> None:
    """Whole or not at all: whoever opens the file never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        Path(part).chmod(0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
