"""What the style sheets promise: contrast (WCAG 2.2 AA) in both schemes, and small worker's pages."""

import re
from pathlib import Path

import pytest

import sentinel.ui

STATIC = Path(sentinel.ui.__file__).parent / "static" / "ui"
CONSOLE = (STATIC / "console.css").read_text(encoding="utf-8")
TOKENS: dict[str, list[str]] = {
    name: [light, dark]
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", CONSOLE)
}
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2") for ground in ("paper", "surface", "sunken")),
    *((tone, ground) for tone in ("ember", "sea", "ochre", "slate") for ground in ("paper", "surface")),
    *((f"{tone}-ink", f"{tone}-soft") for tone in ("ember", "sea", "ochre", "slate")),
    *((f"{tone}-ink", ground) for tone in ("ember", "ochre") for ground in ("paper", "surface", "sunken")),
    *((("on-accent", tone)) for tone in ("ember", "sea", "ember-ink", "sea-ink")),
    ("paper", "ink"),
    ("ember", "ember-soft"),
]
EDGE_PAIRS = [
    (edge, ground) for edge in ("line-strong", "focus") for ground in ("paper", "surface", "sunken")
]


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two `#rrggbb` colours, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(ink: str, ground: str, scheme: int) -> None:
    assert contrast(TOKENS[ink][scheme], TOKENS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_of_controls_and_the_focus_can_be_seen(edge: str, ground: str, scheme: int) -> None:
    assert contrast(TOKENS[edge][scheme], TOKENS[ground][scheme]) >= 3


def test_the_workers_style_sheet_leaves_room_for_the_page() -> None:
    """The first view of a worker's page stays under 30 kB: at most a third of it is the style sheet."""
    assert (STATIC / "respond.css").stat().st_size < 10_000


def test_the_workers_style_sheet_works_on_old_phones() -> None:
    css = (STATIC / "respond.css").read_text(encoding="utf-8")
    assert "var(" not in css
    assert "light-dark(" not in css


def test_the_script_stays_small() -> None:
    assert (STATIC / "ui.js").stat().st_size < 5_120


def test_everything_mirrors_for_languages_that_run_from_right_to_left() -> None:
    """Logical properties only: a physical left would stay behind when the page turns round."""
    physical = re.compile(r"[\s;{](?:(?:margin|padding|border)-(?:left|right)|left|right)\s*:")
    for sheet in ("console.css", "respond.css"):
        css = (STATIC / sheet).read_text(encoding="utf-8")
        assert not physical.search(css), sheet
