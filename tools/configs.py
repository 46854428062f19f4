"""Writes what follows from newsclf.verbs.VERBS and newsclf/config: `make configs`.

configs/<verb>.yaml has every option with its help and default; entrypoints/<verb>.py is the verb's door, and MLproject
names all doors.
"""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from newsclf.config.fields import fields_of
from newsclf.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
DOOR = '''"""The door of `mlflow run . -e {verb}`; start it as `python -m entrypoints.{verb}`."""

import sys
from collections.abc import Callable

from newsclf import cli
from newsclf.config import {options}


def _load() -> Callable[[{options}], object]:
    from newsclf.verbs.{verb} import {verb}

    return {verb}


if __name__ == "__main__":
    sys.exit(cli.run("{verb}", {options}, _load, sys.argv[1:]))
'''
PROJECT = """name: newsclf

python_env: python_env.yaml

# Written by `make configs` from newsclf.verbs.VERBS. Only `config` is declared, so that each default lives in
# newsclf/config/ alone: MLflow appends every other `-P name=value` as `--name value`. `-m`, because
# entrypoints/profile.py run as a script would hide Python's own profile.
entry_points:
"""
ENTRY = """\
  {verb}:
    parameters:
      config: {{type: string, default: configs/{verb}.yaml}}
    command: "python -m entrypoints.{verb} --config {{config}}"
"""


def as_yaml(field: dataclasses.Field[Any]) -> str:
    """The default as it is typed in YAML: one line; None as its own word, such as all or auto."""
    value = field.metadata["none"] if field.default is None else field.default
    value = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def defaults(verb: str) -> str:
    """The text of configs/<verb>.yaml."""
    fields = fields_of(VERBS[verb])
    required = [field.name for field in fields if field.default is dataclasses.MISSING]
    run = " ".join([f"mlflow run . -e {verb}", *(f"-P {name}=..." for name in required)])
    lines = [
        f"# Every option of {verb} with its default, written by `make configs` from newsclf/config/.",
        f"# Run it: {run}    another value: -P name=value",
    ]
    for field in fields:
        lines += ["", f"# {field.metadata['help']}"]
        lines += [f"# {field.name}: (required)" if field.name in required else f"{field.name}: {as_yaml(field)}"]
    return "\n".join(lines) + "\n"


def written() -> dict[str, str]:
    """The text of every file that is made of the verbs and their options, by its path from the project's folder."""
    files = {"MLproject": PROJECT + "".join(ENTRY.format(verb=verb) for verb in VERBS)}
    for verb, options in VERBS.items():
        files[f"configs/{verb}.yaml"] = defaults(verb)
        files[f"entrypoints/{verb}.py"] = DOOR.format(verb=verb, options=options.__name__)
    return files


if __name__ == "__main__":
    for path, text in written().items():
        (ROOT / path).write_text(text, encoding="utf-8")
