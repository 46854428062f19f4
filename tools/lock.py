"""Writes the pins of python_env.yaml, conda.yaml and infra/mlflow/requirements.txt: the last step of `make lock`.

To change a direct dependency, edit its line in the first block of python_env.yaml (of the tracking server's image: of
infra/mlflow/requirements.txt, and of the dev extra) and run `make lock`.
It installs the direct pins into .venv; this file then pins them and everything they pull in. Other
installed packages (the tools of the dev extra) stay out. Comments and order of the direct block are kept.
"""

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PULLED_IN = "# What they pull in, written by `make lock`."
# torch's CUDA wheels pin these themselves; other platforms do not have them.
TORCH_OWN = ("cuda-", "nvidia-", "triton")
PIN = re.compile(r"^\s*(?:- )?(?P<name>[\w.-]+)==(?P<version>\S+)(?P<comment>.*)$")


def pins(lines: Iterable[str]) -> dict[str, str]:
    """Package name to version, of the lines of the form `- name==version` or `name==version`."""
    return {match["name"]: match["version"] for line in lines if (match := PIN.match(line))}


def direct_block(text: str) -> list[str]:
    """The lines of python_env.yaml between `dependencies:` and the pulled-in pins, without indentation."""
    block = text.split("\ndependencies:\n")[1].split(PULLED_IN)[0]
    return [line.strip() for line in block.splitlines() if line.strip()]


def closure(names: Iterable[str]) -> set[str]:
    """Canonical names of the installed distributions that `names` need on this platform, with themselves."""
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(name), "") for name in names]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(requirement.name)
                if needed.startswith(TORCH_OWN):
                    continue
                waiting += [(needed, ""), *((needed, wanted) for wanted in requirement.extras)]
    return {name for name, _ in found}


def installed_version(name: str) -> str:
    """Without the local part: 2.13.0+cpu is another build of 2.13.0, and no index lists it."""
    return Version(metadata.version(name)).public


def locked_block(direct: list[str]) -> list[str]:
    """The direct lines with the versions installed now, then the pins of all else they need."""
    dash = "- " if direct[-1].startswith("- ") else ""
    names = {canonicalize_name(name) for name in pins(direct)}
    lines = []
    for line in direct:
        match = PIN.match(line)
        lines.append(f"{dash}{match['name']}=={installed_version(match['name'])}{match['comment']}" if match else line)
    return [
        *lines,
        PULLED_IN,
        *(f"{dash}{name}=={installed_version(name)}" for name in sorted(closure(names) - names)),
    ]


def main() -> None:
    python_env, conda = ROOT / "python_env.yaml", ROOT / "conda.yaml"
    block = locked_block(direct_block(python_env.read_text()))
    for path, last_line, indent in ((python_env, "\ndependencies:\n", 2), (conda, "  - pip:\n", 6)):
        head, _ = path.read_text().split(last_line)
        path.write_text(head + last_line + "".join(f"{' ' * indent}{line}\n" for line in block))
    server = ROOT / "infra" / "mlflow" / "requirements.txt"
    direct = server.read_text().split(PULLED_IN)[0].splitlines()
    server.write_text("".join(f"{line}\n" for line in locked_block(direct)))


if __name__ == "__main__":
    main()
