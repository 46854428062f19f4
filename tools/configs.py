"""Writes what follows from newsclf.verbs.VERBS and newsclf/config: `make configs`.

configs/<verb>.yaml has every option with its help and default; entrypoints/<verb>.py is the verb's door, MLproject
names all doors, and entrypoints/verbs.mk has a make target for each verb.
"""

from pathlib import Path

from newsclf.config.commented_yaml import commented_yaml, required_options
from newsclf.verbs import VERBS, summary

ROOT = Path(__file__).resolve().parent.parent
DOOR = '''"""The door of `mlflow run . -e {verb}`: `python -m entrypoints.{verb}`, the same as `newsclf {verb}`."""

import sys

from newsclf.cli import main

if __name__ == "__main__":
    sys.exit(main(["{verb}", *sys.argv[1:]]))
'''
TARGETS = """\
# Written by `make configs` from newsclf.verbs.VERBS: what `make help` says of each; the Makefile has the recipe.
VERBS := {verbs}
{targets}
"""
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


def defaults(verb: str) -> str:
    """The text of configs/<verb>.yaml."""
    run = " ".join([f"newsclf {verb}", *(f"{name}=..." for name in required_options(VERBS[verb]))])
    head = (
        f"Every option of {verb} with its default, written by `make configs` from newsclf/config/.",
        f"Run it: {run}    another value: name=value",
    )
    return commented_yaml(VERBS[verb], head, {})


def written() -> dict[str, str]:
    """The text of every file that is made of the verbs and their options, by its path from the project's folder."""
    targets = "\n".join(f"{verb}:  ## {summary(verb)}" for verb in VERBS)
    files = {
        "MLproject": PROJECT + "".join(ENTRY.format(verb=verb) for verb in VERBS),
        "entrypoints/verbs.mk": TARGETS.format(verbs=" ".join(VERBS), targets=targets),
    }
    for verb in VERBS:
        files[f"configs/{verb}.yaml"] = defaults(verb)
        files[f"entrypoints/{verb}.py"] = DOOR.format(verb=verb)
    return files


if __name__ == "__main__":
    for path, text in written().items():
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
