"""A link that leads nowhere is a promise not kept: every relative link, anchor and named file exists."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.house.sources import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"""<(?:img|a)\b[^>]*?(?:src|href)="([^"]+)\"""")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
NAMED_FILE = re.compile(r"`((?:src|tests|docs|bench|requirements)/[\w./-]*\w)`")
NAMED_TEST = re.compile(r"`(test_\w+)(…?)`")
LARGEST_IMAGE = 200_000


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _links(page: Path) -> list[str]:
    text = _prose(page)
    return [*LINK.findall(CODE.sub("", text)), *IMAGE.findall(text)]


def _slug(heading: str) -> str:
    """The anchor that hosting sites give a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    kept = "".join(c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN")
    return kept.replace(" ", "-")


@cache
def _anchors(page: Path) -> frozenset[str]:
    found: dict[str, int] = {}
    anchors = set()
    for heading in HEADING.findall(_prose(page)):
        slug = _slug(heading)
        repeats = found[slug] = found.get(slug, -1) + 1
        anchors.add(f"{slug}-{repeats}" if repeats else slug)
    return frozenset(anchors)


def _why_broken(page: Path, link: str) -> str:
    """Why a link leads nowhere; empty when it does not, or leaves the project."""
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return ""
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path)).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return "leaves the project"
    if not target.exists():
        return "does not exist"
    if anchor and (target.suffix != ".md" or unquote(anchor) not in _anchors(target)):
        return "has no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [f"{link} {why}" for link in _links(page) if (why := _why_broken(page, link))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    missing = [name for name in NAMED_FILE.findall(_prose(page)) if not (ROOT / name).exists()]
    assert not missing, "\n".join(missing)


def test_every_test_that_is_named_exists() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    missing = [
        f"{_name(page)}: {name}"
        for page in PAGES
        for name, is_start in NAMED_TEST.findall(_prose(page))
        if not re.search(rf"def {name}" + ("" if is_start else r"\b"), tests)
    ]
    assert not missing, "\n".join(missing)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        waiting += [(page.parent / unquote(link.partition("#")[0])).resolve() for link in _links(page)]
    assert not [_name(page) for page in PAGES if page not in reached]


def test_images_are_small_and_used() -> None:
    used = {(page.parent / link).resolve() for page in PAGES for link in _links(page)}
    for image in (ROOT / "docs" / "images").iterdir():
        assert image.stat().st_size < LARGEST_IMAGE, image.name
        assert image in used, f"{image.name} is shown nowhere"


def test_every_verb_of_the_timeline_is_in_the_reference() -> None:
    verbs = (ROOT / "src/sentinel/timeline/verbs.py").read_text(encoding="utf-8")
    page = (ROOT / "docs/reference/timeline-verbs.md").read_text(encoding="utf-8")
    known = re.findall(r'^    [A-Z_]+ = "([a-z_]+\.[a-z_]+)"', verbs, re.MULTILINE)
    assert known
    assert not [verb for verb in known if f"`{verb}`" not in page]
