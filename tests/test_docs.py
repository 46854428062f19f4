"""What the pages name is there: files, folders, verbs, make targets, links."""

import re
from pathlib import Path

import pytest

from newsclf.verbs import VERBS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "tests" / "old_files" / "README.md"])
TOP = "newsclf|entrypoints|configs|tests|docs|tools|benchmarks|infra"
MADE = {"infra/.env", "infra/ca.crt", "infra/proxy/certificate/"}  # by `make stack`, or by hand


def words(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_are_there(page: Path) -> None:
    named = re.findall(rf"(?<![\w/.<~-])((?:{TOP})/[\w./*-]*)(?![\w<])", words(page))
    gone = [path for path in {name.rstrip(".") for name in named} - MADE if not list(ROOT.glob(path.rstrip("/")))]
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", words(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_files_of_the_flows_are_there() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", words(ROOT / "docs" / "architecture.md")))
    assert len(named) > 40
    assert [name for name in named if not (ROOT / "newsclf" / name).is_file() and not (ROOT / name).is_file()] == []


def test_every_room_is_in_the_picture() -> None:
    picture = words(ROOT / "docs" / "architecture.md").split("```")[1]
    rooms = {path.name for path in (ROOT / "newsclf").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {f"{room}/" for room in rooms} <= set(re.findall(r"\w+/", picture))


def test_every_file_beside_the_rooms_is_in_the_picture() -> None:
    picture = words(ROOT / "docs" / "architecture.md").split("```")[1]
    files = {path.name for path in (ROOT / "newsclf").glob("*.py") if not path.name.startswith("__")}
    assert files == set(re.findall(r"\w+\.py", picture))


def test_every_verb_has_a_page_but_those_of_two_pages() -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert VERBS.keys() - pages == {"sync"}, "outages.md has sync"


def test_make_targets_are_there() -> None:
    written = words(ROOT / "Makefile") + words(ROOT / "entrypoints" / "verbs.mk")
    targets = set(re.findall(r"^([a-z-]+):", written, flags=re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", words(page))}
    assert named - targets == set()


def test_the_readme_fits_a_few_screens() -> None:
    assert len(words(ROOT / "README.md").splitlines()) < 200
