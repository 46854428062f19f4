"""A report's file: a template filled in, with styles, scripts and data inside, written whole or not at all."""

from __future__ import annotations

import functools
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.reports import vega
from newsclf.reports.wording import clean

TEMPLATES = Path(__file__).parent / "templates"
MAX_TEXT = 300  # characters


def facts_of(facts: Mapping[str, object] | None) -> list[tuple[str, str]]:
    return [(clean(name, 60), clean(value, MAX_TEXT)) for name, value in (facts or {}).items()]


@functools.cache
def _environment(folder: Path) -> Any:
    import jinja2

    loader = jinja2.FileSystemLoader([folder, TEMPLATES])
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def write(path: Path | str, template: Path, specs: Mapping[str, Any], shared: Mapping[str, Any], **values: Any) -> None:
    """Fill in `template`, which extends base.html.jinja. specs: the charts by the ids that their frames have."""
    from markupsafe import Markup

    page = (
        _environment(template.parent)
        .get_template(template.name)
        .render(
            style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            own_script=Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),
            library=Markup(vega.script()),
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
